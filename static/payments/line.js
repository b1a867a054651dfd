// No line: one calm word that the page goes on by itself. Whoever asks the server says "line" with whether it answered.
// Wherever something has to be read out, "announce" is said with the words.

let answered = true;

const tell = () => {
  const banner = document.getElementById("offline");
  if (banner) banner.hidden = navigator.onLine && answered;
};

document.addEventListener("line", (event) => {
  answered = event.detail;
  tell();
});
document.addEventListener("announce", ({ detail: text }) => {
  const place = document.getElementById("announcer");
  if (text && place.textContent !== text) place.textContent = text;
});
window.addEventListener("online", () => {
  document.querySelector("#offline b").hidden = true;
  answered = true;
  tell();
});
window.addEventListener("offline", tell);
tell();
// What is tapped without a line would lead to the browser's own error page: it is held, and the word says why.
document.addEventListener(
  "submit",
  (event) => {
    if (navigator.onLine) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    tell();
    const word = document.querySelector("#offline b");
    word.hidden = false;
    document.dispatchEvent(new CustomEvent("announce", { detail: word.textContent }));
  },
  true,
);
