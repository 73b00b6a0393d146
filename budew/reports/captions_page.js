for (const recording of document.querySelectorAll("section.recording")) {
  const player = recording.querySelector("audio"), list = recording.querySelector("ol");
  const timeline = recording.querySelector(".timeline"), cursor = recording.querySelector(".cursor");
  const seconds = Number(recording.dataset.seconds), items = [...recording.querySelectorAll("li")];
  const follow = () => {
    cursor.style.left = `${100 * Math.min(player.currentTime / seconds, 1)}%`;
    for (const item of items) {
      const now = player.currentTime >= Number(item.dataset.start) && player.currentTime < Number(item.dataset.end);
      if (now && !item.classList.contains("now")) {
        const above = item.offsetTop - list.offsetTop;
        if (above < list.scrollTop || above + item.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = above;
      }
      item.classList.toggle("now", now);
      item.querySelector("button").ariaCurrent = now ? "true" : null;
    }
  };
  const play = time => { player.currentTime = time; follow(); player.play(); };
  if (!player) continue;
  cursor.hidden = false;
  for (const sign of ["timeupdate", "seeked"]) player.addEventListener(sign, follow);
  for (const item of items) item.querySelector("button").addEventListener("click", () => play(Number(item.dataset.start)));
  timeline.addEventListener("click", event => {
    const place = timeline.getBoundingClientRect();
    play(seconds * (event.clientX - place.left) / place.width);
  });
}
