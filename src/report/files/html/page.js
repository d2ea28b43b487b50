(() => {
  const form = document.querySelector("form");
  const tasks = [...document.querySelectorAll("details")];
  const open = () => {
    const at = location.hash && document.getElementById(location.hash.slice(1));
    if (at && at.tagName === "DETAILS") { at.hidden = false; at.open = true; at.scrollIntoView({ block: "center" }); }
  };
  addEventListener("hashchange", open);
  open();
  if (!form) return;
  form.hidden = false;
  const text = tasks.map((task) => task.textContent.toLowerCase());
  const apply = () => {
    const wanted = form.q.value.toLowerCase();
    const host = form.host ? form.host.value : "";
    const off = [...form.querySelectorAll("input[name=s]")].filter((box) => !box.checked).map((box) => box.value);
    let shown = 0;
    tasks.forEach((task, at) => {
      const results = [...task.querySelectorAll("section")];
      results.forEach((one) => { one.hidden = !!host && one.dataset.h !== host; });
      const some = !host || !results.length || results.some((one) => !one.hidden);
      const show = some && !off.includes(task.classList[0]) && text[at].includes(wanted);
      task.hidden = !show;
      shown += show ? 1 : 0;
    });
    document.querySelector("output").textContent = shown + " of " + tasks.length;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.all.addEventListener("click", () => {
    const some = tasks.some((task) => !task.hidden && !task.open);
    tasks.forEach((task) => { task.open = some && !task.hidden; });
  });
  apply();
})();
