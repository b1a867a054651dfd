// No line: one calm word that the page goes on by itself. Whoever asks the server says "line" with whether it answered.

let answered = true;

const tell = () => {
  const banner = document.getElementById("offline");
  if (banner) banner.hidden = navigator.onLine && answered;
};

export const heard = (yes) => document.dispatchEvent(new CustomEvent("line", { detail: yes }));

export function watchLine() {
  document.addEventListener("line", (event) => {
    answered = event.detail;
    tell();
  });
  window.addEventListener("online", () => heard(true));
  window.addEventListener("offline", tell);
  tell();
}
