"""Volume by price over the last bars, in kernel form. Prices come as whole steps (`buckets`), volumes are 0 or more; nothing is allocated:
buckets are found by looking through the window again, which suits windows of some dozen bars."""

from __future__ import annotations

from typing import Any

from apps.core.kernel import kernel

NAN = float("nan")

BUSIEST = 0
BUSIEST_VOLUME = 1
AREA_HIGH = 2
AREA_LOW = 3


@kernel
def bucket_above(buckets: Any, start: int, stop: int, bucket: float) -> float:
    """The lowest bucket above `bucket`; `bucket` itself when there is none."""
    found = bucket
    for index in range(start, stop):
        if buckets[index] > bucket and (found == bucket or buckets[index] < found):
            found = buckets[index]
    return float(found)


@kernel
def bucket_below(buckets: Any, start: int, stop: int, bucket: float) -> float:
    """The highest bucket below `bucket`; `bucket` itself when there is none."""
    found = bucket
    for index in range(start, stop):
        if buckets[index] < bucket and (found == bucket or buckets[index] > found):
            found = buckets[index]
    return float(found)


@kernel
def volume_at(buckets: Any, volumes: Any, start: int, stop: int, bucket: float) -> float:
    """All volume in a bucket."""
    total = 0.0
    for index in range(start, stop):
        if buckets[index] == bucket:
            total += volumes[index]
    return total


@kernel
def busiest_bucket(buckets: Any, volumes: Any, start: int, stop: int) -> float:
    """The bucket with most volume; of equals the one nearest to the middle of the buckets, the lower of two as near."""
    bottom = buckets[start]
    for index in range(start, stop):
        bottom = min(bottom, buckets[index])
    count = 1
    bucket = bottom
    following = bucket_above(buckets, start, stop, bucket)
    while following != bucket:
        bucket = following
        following = bucket_above(buckets, start, stop, bucket)
        count += 1
    middle = (count - 1) // 2
    best = bottom
    best_place = 0
    most = volume_at(buckets, volumes, start, stop, bottom)
    bucket = bottom
    for place in range(1, count):
        bucket = bucket_above(buckets, start, stop, bucket)
        volume = volume_at(buckets, volumes, start, stop, bucket)
        if volume > most or (volume == most and abs(middle - place) < abs(middle - best_place)):
            best = bucket
            best_place = place
            most = volume
    return float(best)


@kernel
def profile(buckets: Any, volumes: Any, start: int, stop: int, share: float, answer: int) -> float:
    """One of: the busiest bucket, its volume, the highest and the lowest bucket of the area round it, which grows to the side with more volume
    (up, when both have as much) until it holds more than `share` of all."""
    busiest = busiest_bucket(buckets, volumes, start, stop)
    held = volume_at(buckets, volumes, start, stop, busiest)
    if answer == BUSIEST:
        return busiest
    if answer == BUSIEST_VOLUME:
        return held
    whole = 0.0
    for index in range(start, stop):
        whole += volumes[index]
    low = busiest
    high = busiest
    while held <= share * whole:
        below = bucket_below(buckets, start, stop, low)
        above = bucket_above(buckets, start, stop, high)
        if below == low and above == high:
            break
        below_volume = volume_at(buckets, volumes, start, stop, below)
        above_volume = volume_at(buckets, volumes, start, stop, above)
        if below != low and (above == high or below_volume > above_volume):
            held += below_volume
            low = below
        else:
            held += above_volume
            high = above
    return high if answer == AREA_HIGH else low


@kernel
def profile_nb(buckets: Any, volumes: Any, length: int, share: float, answer: int, out: Any) -> None:
    """`profile` at every bar."""
    for index in range(buckets.shape[0]):
        out[index] = profile(buckets, volumes, index - length + 1, index + 1, share, answer) if index + 1 >= length else NAN
