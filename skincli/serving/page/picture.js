// The picture of a card: the file itself at first, then what the network saw and its heat map.

let sliders = 0;

export class Picture {
  #parts;
  #preview;

  constructor(parts, file) {
    this.#parts = parts;
    this.#preview = URL.createObjectURL(file);
    parts.picture.alt = file.name;
    parts.picture.addEventListener("error", () => this.#showNone(), { once: true });
    parts.picture.src = this.#preview;
    parts.opacity.id = `opacity-${++sliders}`;
    parts["opacity-label"].htmlFor = parts.opacity.id;
    parts.opacity.addEventListener("input", () => this.#fade());
  }

  /** Show the server's picture: browsers decode no TIFF, and this is what was judged. */
  showAnswer(prediction) {
    const { picture, heat, slider, caption } = this.#parts;
    this.release();
    this.#parts["no-preview"].hidden = true;
    picture.hidden = false;
    picture.src = prediction.picture;
    heat.src = prediction.heatmap;
    for (const element of [heat, slider, caption]) element.hidden = false;
    this.#fade();
  }

  release() {
    URL.revokeObjectURL(this.#preview);
  }

  #fade() {
    const { opacity, heat } = this.#parts;
    heat.style.opacity = opacity.value / 100;
    this.#parts["opacity-text"].textContent = `${opacity.value}\u00a0%`;
  }

  #showNone() {
    this.#parts.picture.hidden = true;
    this.#parts["no-preview"].hidden = false;
  }
}
