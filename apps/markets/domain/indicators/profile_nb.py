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
def profile(buckets: Any, volumes: Any, start: int, stop: int, share: float, answer: int) -> float:
    """One of: the bucket with most volume (of equals the one nearest to the middle of the buckets traded), its volume, the highest and the
    lowest bucket of the area round it, which grows to the side with more volume until it holds more than `share` of all."""
    bottom = buckets[start]
    top = buckets[start]
    whole = 0.0
    for index in range(start, stop):
        bottom = min(bottom, buckets[index])
        top = max(top, buckets[index])
        whole += volumes[index]
    count = 0
    bucket = bottom - 1.0
    while bucket < top:
        following = top
        for index in range(start, stop):
            if bucket < buckets[index] < following:
                following = buckets[index]
        bucket = following
        count += 1
    middle = (count - 1) // 2
    busiest = bottom
    most = -1.0
    best_place = 0
    place = 0
    bucket = bottom - 1.0
    while bucket < top:
        following = top
        for index in range(start, stop):
            if bucket < buckets[index] < following:
                following = buckets[index]
        bucket = following
        volume = 0.0
        for index in range(start, stop):
            if buckets[index] == bucket:
                volume += volumes[index]
        if volume > most or (volume == most and abs(middle - place) < abs(middle - best_place)):
            busiest = bucket
            most = volume
            best_place = place
        place += 1
    if answer == BUSIEST:
        return float(busiest)
    if answer == BUSIEST_VOLUME:
        return float(most)
    low = busiest
    high = busiest
    held = most
    while held <= share * whole and (low > bottom or high < top):
        below = bottom
        above = top
        for index in range(start, stop):
            if below < buckets[index] < low:
                below = buckets[index]
            if high < buckets[index] < above:
                above = buckets[index]
        below_volume = 0.0
        above_volume = 0.0
        for index in range(start, stop):
            if low > bottom and buckets[index] == below:
                below_volume += volumes[index]
            if high < top and buckets[index] == above:
                above_volume += volumes[index]
        if low > bottom and (high == top or below_volume > above_volume):
            held += below_volume
            low = below
        else:
            held += above_volume
            high = above
    return float(high if answer == AREA_HIGH else low)


@kernel
def profile_nb(buckets: Any, volumes: Any, length: int, share: float, answer: int, out: Any) -> None:
    """`profile` at every bar."""
    for index in range(buckets.shape[0]):
        out[index] = profile(buckets, volumes, index - length + 1, index + 1, share, answer) if index + 1 >= length else NAN
