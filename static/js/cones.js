// Forecast cones, drawn under the bars: the newest strong, past ones faint beside what happened.
// A cone opens with the square root of time, as uncertainty does, and ends at the stored interval.

export class Cones {
  constructor() {
    this.cones = [];
    this.paint = null;
  }

  attached({ chart, series, requestUpdate }) {
    Object.assign(this, { chart, series, requestUpdate });
  }

  set(cones, paint) {
    this.cones = cones;
    this.paint = paint;
    this.requestUpdate?.();
  }

  // The newest cone must fit on the price axis.
  autoscaleInfo(from, to) {
    const newest = this.cones.at(-1);
    if (!newest || newest.index > to || newest.index + newest.times.length < from) return null;
    const edges = [newest.upper.at(-1), newest.lower.at(-1)];
    return { priceRange: { minValue: Math.min(...edges), maxValue: Math.max(...edges) } };
  }

  paneViews() {
    return [{ zOrder: () => "bottom", renderer: () => ({ draw: (target) => target.useMediaCoordinateSpace(({ context }) => this.draw(context)) }) }];
  }

  draw(context) {
    this.cones.forEach((cone, index) => this.drawOne(context, cone, index === this.cones.length - 1));
  }

  drawOne(context, cone, isNewest) {
    const x = cone.times.map((time) => this.chart.timeScale().timeToCoordinate(time));
    if (x.some((value) => value === null)) return;
    const y = (values) => values.map((value) => this.series.priceToCoordinate(value));
    const [upper, lower, middle] = [y(cone.upper), y(cone.lower), y(cone.expected)];
    context.beginPath();
    trace(context, x, upper, true);
    trace(context, [...x].reverse(), [...lower].reverse(), false);
    context.closePath();
    context.fillStyle = isNewest ? this.paint.fill : this.paint.pastFill;
    context.fill();
    context.strokeStyle = isNewest ? this.paint.line : this.paint.pastLine;
    context.lineWidth = isNewest ? 1.5 : 1;
    context.setLineDash([4, 3]);
    context.beginPath();
    trace(context, x, middle, true);
    context.stroke();
    context.setLineDash([]);
  }
}

function trace(context, x, y, isStart) {
  x.forEach((at, index) => (index === 0 && isStart ? context.moveTo(at, y[index]) : context.lineTo(at, y[index])));
}

// A stored forecast as prices at the bars that followed, or where they will be.
export function coneOf(forecast, bars) {
  const index = bars.findIndex(([time]) => time === forecast.as_of);
  if (index < 0) return null;
  const close = bars[index][4];
  const step = (forecast.until - forecast.as_of) / forecast.bars;
  const last = bars.at(-1)[0];
  const steps = Array.from({ length: forecast.bars + 1 }, (_, k) => k);
  const times = steps.map((k) => bars[index + k]?.[0] ?? Math.round(last + step * (index + k - bars.length + 1)));
  const at = (value) => steps.map((k) => close * Math.exp(forecast.expected * (k / forecast.bars) + (value - forecast.expected) * Math.sqrt(k / forecast.bars)));
  return { index, times, upper: at(forecast.upper), lower: at(forecast.lower), expected: at(forecast.expected) };
}
