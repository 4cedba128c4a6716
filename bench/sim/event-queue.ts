/**
 * Virtual time: what happens next. Events of the same instant happen in the order in which they were scheduled, so that a
 * run depends on its seed alone.
 */
export interface SimEvent {
  /** `now` in ms. */
  fire(now: number): void;
}

export class EventQueue {
  #now = 0;
  #scheduled = 0;
  /** A binary heap in three arrays. */
  readonly #times: number[] = [];
  readonly #order: number[] = [];
  readonly #events: SimEvent[] = [];

  /** In ms; the time of the event that fires. */
  get now(): number {
    return this.#now;
  }

  get size(): number {
    return this.#events.length;
  }

  /** Events so far. */
  get scheduled(): number {
    return this.#scheduled;
  }

  /** `time` in ms; the past counts as now. */
  at(time: number, event: SimEvent): void {
    const due = time > this.#now ? time : this.#now;
    const order = this.#scheduled++;
    let index = this.#events.length;
    this.#events.push(event);
    this.#times.push(due);
    this.#order.push(order);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#times[parent]! <= due) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#put(index, due, order, event);
  }

  after(ms: number, event: SimEvent): void {
    this.at(this.#now + ms, event);
  }

  /** Fires the next event. False if there is none. */
  step(): boolean {
    const next = this.#events[0];
    if (!next) return false;
    this.#now = this.#times[0]!;
    this.#removeFirst();
    next.fire(this.#now);
    return true;
  }

  #removeFirst(): void {
    const event = this.#events.pop()!;
    const time = this.#times.pop()!;
    const order = this.#order.pop()!;
    const length = this.#events.length;
    if (length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#isBefore(child + 1, this.#times[child]!, this.#order[child]!)) child++;
      if (!this.#isBefore(child, time, order)) break;
      this.#move(child, index);
      index = child;
    }
    this.#put(index, time, order, event);
  }

  #isBefore(index: number, time: number, order: number): boolean {
    const other = this.#times[index]!;
    return other < time || (other === time && this.#order[index]! < order);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from]!, this.#order[from]!, this.#events[from]!);
  }

  #put(index: number, time: number, order: number, event: SimEvent): void {
    this.#times[index] = time;
    this.#order[index] = order;
    this.#events[index] = event;
  }
}
