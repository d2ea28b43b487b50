(() => {
  'use strict';
  const find = (selector, root) => (root || document).querySelector(selector);
  const all = (selector, root) => [...(root || document).querySelectorAll(selector)];
  let busy = false, soon = 0, source = null;
  const fillToken = () => {
    const token = sessionStorage.getItem('token');
    if (token) all('input[type=password]').forEach((field) => { if (!field.value) field.value = token; });
  };
  const isInUse = () => {
    const active = document.activeElement;
    const main = find('main');
    if (main.contains(active) && /^(INPUT|SELECT|BUTTON)$/.test(active.tagName)) return true;
    return String(getSelection()) !== '' || all('input:not([type=hidden],[type=password])', main).some((field) => field.value);
  };
  // Who uses the keyboard stays where they are.
  const keepFocus = (old) => {
    const active = document.activeElement;
    if (!old.contains(active)) return () => {};
    const href = active.getAttribute('href'), details = active.matches('summary') && active.parentElement.id;
    return (fresh) => {
      const same = href ? all('a', fresh).find((link) => link.getAttribute('href') === href)
        : details ? find('#' + details + '>summary', fresh) : active === old ? fresh : null;
      same?.focus({preventScroll: true});
    };
  };
  const follow = () => {
    const path = find('main').dataset.follow;
    if (source && source.path !== path) { source.close(); source = null; }
    if (!path || source) return;
    source = new EventSource(path + '?follow=1');
    source.path = path;
    source.onmessage = () => { if (!soon) soon = setTimeout(refresh, 400); };
    source.addEventListener('end', () => { source.close(); setTimeout(refresh, 200); });
  };
  const refresh = async () => {
    clearTimeout(soon);
    soon = 0;
    if (busy || document.hidden || isInUse()) return;
    busy = true;
    try {
      const answer = await fetch(location.href);
      const text = await answer.text();
      // The reader may have begun to type while the answer was on its way.
      if (answer.ok && !isInUse()) {
        const next = new DOMParser().parseFromString(text, 'text/html');
        const fresh = find('main', next), old = find('main');
        all('details[id]', old).forEach((details) => {
          const same = fresh.querySelector('#' + details.id);
          if (same) same.open = details.open;
        });
        const refocus = keepFocus(old);
        old.replaceWith(fresh);
        refocus(fresh);
        document.title = next.title;
        find('#clock').textContent = find('#clock', next).textContent;
        document.body.classList.remove('stale');
        fillToken();
        follow();
      }
    } catch {
      document.body.classList.add('stale');
    }
    busy = false;
  };
  document.addEventListener('submit', (event) => {
    const field = find('input[type=password]', event.target);
    if (field) sessionStorage.setItem('token', field.value);
  });
  document.addEventListener('visibilitychange', refresh);
  setInterval(refresh, 5000);
  fillToken();
  follow();
})();
