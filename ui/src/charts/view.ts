// View: the span of time that linked charts show, and the moment their cursor stands at.

export type Listener = () => void;

export class View {
  private from: number;
  private to: number;
  private moment: number | null = null;
  private readonly rangeListeners = new Set<Listener>();
  private readonly cursorListeners = new Set<Listener>();

  // `shortest`: the smallest span worth showing, a few ticks.
  constructor(
    readonly first: number,
    readonly last: number,
    private readonly shortest: number,
  ) {
    this.from = first;
    this.to = last;
  }

  get min(): number {
    return this.from;
  }
  get max(): number {
    return this.to;
  }
  get span(): number {
    return this.to - this.from;
  }
  get cursor(): number | null {
    return this.moment;
  }
  get isAll(): boolean {
    return this.from <= this.first && this.to >= this.last;
  }

  onRange(listener: Listener): void {
    this.rangeListeners.add(listener);
  }
  onCursor(listener: Listener): void {
    this.cursorListeners.add(listener);
  }

  // Shows [min, max], moved into what there is and widened to what is worth showing.
  show(min: number, max: number): void {
    const whole = this.last - this.first;
    const span = Math.min(whole, Math.max(max - min, this.shortest));
    let from = (min + max) / 2 - span / 2;
    from = Math.min(Math.max(from, this.first), this.last - span);
    if (from === this.from && from + span === this.to) return;
    this.from = from;
    this.to = from + span;
    for (const listener of this.rangeListeners) listener();
  }

  showAll(): void {
    this.show(this.first, this.last);
  }

  // A span around the cursor where it is in view, else around the middle.
  showSpan(span: number): void {
    const middle = this.moment !== null && this.moment >= this.from && this.moment <= this.to
      ? this.moment
      : (this.from + this.to) / 2;
    this.show(middle - span / 2, middle + span / 2);
  }

  zoom(factor: number): void {
    this.showSpan(this.span * factor);
  }

  pan(share: number): void {
    this.show(this.from + share * this.span, this.to + share * this.span);
  }

  point(moment: number | null): void {
    const next = moment === null ? null : Math.min(Math.max(moment, this.first), this.last);
    if (next === this.moment) return;
    this.moment = next;
    for (const listener of this.cursorListeners) listener();
  }

  // Points at a moment and brings it into view.
  goTo(moment: number): void {
    if (moment < this.from || moment > this.to) this.show(moment - this.span / 2, moment + this.span / 2);
    this.point(moment);
  }
}
