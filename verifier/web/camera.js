// The camera: rear by default, with torch and other cameras where there are any.
import { textsIn } from "./decoder.js";

const PAUSE = 80; // milliseconds between frames looked at

export class Camera {
  #video;
  #stream = null;
  #run = 0;

  constructor(video) {
    this.#video = video;
  }

  /** Look until a QR code is read; its text, or null when stopped. Errors are getUserMedia's. */
  async scan(device) {
    const run = ++this.#run;
    this.#end();
    const where = device ? { deviceId: { exact: device } } : { facingMode: { ideal: "environment" } };
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: false, video: { ...where, width: { ideal: 1280 }, height: { ideal: 720 } },
    });
    if (run !== this.#run) {
      for (const track of stream.getTracks()) track.stop();
      return null;
    }
    this.#stream = stream;
    this.#video.srcObject = stream;
    await this.#video.play();
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("2d", { willReadFrequently: true });
    while (run === this.#run) {
      const { videoWidth: width, videoHeight: height } = this.#video;
      if (width) {
        Object.assign(canvas, { width, height });
        context.drawImage(this.#video, 0, 0);
        const [text] = await textsIn(context.getImageData(0, 0, width, height));
        if (text !== undefined && run === this.#run) {
          this.stop();
          return text;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
    return null;
  }

  stop() {
    this.#run++;
    this.#end();
  }

  get hasTorch() {
    return Boolean(this.#track?.getCapabilities?.().torch);
  }

  async setTorch(on) {
    await this.#track.applyConstraints({ advanced: [{ torch: on }] });
  }

  /** The device to switch to; null if this is the only camera. */
  async next() {
    const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "videoinput");
    if (cameras.length < 2) return null;
    const place = cameras.findIndex((one) => one.deviceId === this.#track?.getSettings().deviceId);
    return cameras[(place + 1) % cameras.length].deviceId;
  }

  get #track() {
    return this.#stream?.getVideoTracks()[0];
  }

  #end() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    this.#video.srcObject = null;
  }
}
