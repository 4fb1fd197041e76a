/* Reading a code with the camera, where the browser can. What is read is put into the form as if it were typed. */
const LOOK_MS = 200;

export async function offerCamera(buttons, dialog) {
  if (!("BarcodeDetector" in window) || !navigator.mediaDevices?.getUserMedia) return;
  const formats = await BarcodeDetector.getSupportedFormats().catch(() => []);
  if (!formats.includes("qr_code")) return;
  for (const button of buttons) {
    button.hidden = false;
    button.addEventListener("click", () => read(dialog, button.closest("form")));
  }
}

async function read(dialog, form) {
  const video = dialog.querySelector("video");
  dialog.showModal();
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).catch(() => null);
  const stop = () => { for (const track of stream?.getTracks() ?? []) track.stop(); video.srcObject = null; };
  if (!stream) { dialog.close(); form.querySelector(".code").focus(); return; }
  dialog.addEventListener("close", stop, { once: true });
  video.srcObject = stream;
  await video.play();
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  while (dialog.open) {
    const [found] = await detector.detect(video).catch(() => []);
    if (found) {
      dialog.close();
      form.querySelector(".code").value = found.rawValue;
      form.requestSubmit();
      return;
    }
    await new Promise((done) => { setTimeout(done, LOOK_MS); });
  }
}
