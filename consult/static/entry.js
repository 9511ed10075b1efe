/* The quick form for case notes: one key chooses and goes on; what was typed is kept as a draft on the server. */
(function () {
  'use strict';
  document.documentElement.classList.add('js');
  var form = document.getElementById('entry');
  if (!form) { return; }
  var items = Array.from(form.querySelectorAll('[data-entry]'));
  var said = document.getElementById('draft-state'), timer = 0, changed = false, sending = false, over = false;

  function inputs(item) { return Array.from(item.querySelectorAll('.eo__in')); }
  function go(item) {
    var next = items[items.indexOf(item) + 1];
    var all = next ? inputs(next) : [];
    var target = all.find(function (i) { return i.checked; }) || all[0] ||
      (next ? next.querySelector('input, select') : document.getElementById('carry'));
    if (!target) { target = form.querySelector('[name="reason"], .efoot button'); }
    if (target) { target.focus(); target.scrollIntoView({ block: 'nearest' }); }
  }
  function alone(item, ticked) {
    inputs(item).forEach(function (i) {
      if (i !== ticked && (ticked.hasAttribute('data-alone') || i.hasAttribute('data-alone'))) { i.checked = false; }
    });
  }
  // A list is one stop of Tab: arrows move inside it, as in a group of radio buttons.
  function rove(item, at) {
    inputs(item).forEach(function (i) { i.tabIndex = i === at ? 0 : -1; });
  }
  items.forEach(function (item) {
    var all = inputs(item);
    if (all.length && all[0].type === 'checkbox') { rove(item, all[0]); }
  });
  function clear(item) { inputs(item).forEach(function (i) { i.checked = false; }); note(); }

  form.addEventListener('keydown', function (event) {
    var at = event.target, item = at.closest('[data-entry]');
    if (!item || !at.classList.contains('eo__in') || event.ctrlKey || event.metaKey || event.altKey) { return; }
    var all = inputs(item), boxes = all[0].type === 'checkbox', place = all.indexOf(at);
    if (event.key === 'Delete' || event.key === 'Backspace') {
      event.preventDefault(); clear(item);
    } else if (boxes && /^Arrow/.test(event.key)) {
      event.preventDefault();
      var step = event.key === 'ArrowRight' || event.key === 'ArrowDown' ? 1 : -1;
      var next = all[(place + step + all.length) % all.length];
      rove(item, next); next.focus();
    } else if (event.key.length === 1 && event.key !== ' ') {
      var hit = all.find(function (i) { return i.dataset.key === event.key.toLowerCase(); });
      if (hit && boxes) {
        event.preventDefault(); hit.checked = !hit.checked; if (hit.checked) { alone(item, hit); }
        rove(item, hit); hit.focus(); note();
      } else if (hit) {
        event.preventDefault(); hit.checked = true; note(); go(item);
      } else if (event.key === '0') {
        event.preventDefault(); clear(item); go(item);
      }
    }
  });
  form.addEventListener('change', function (event) {
    var item = event.target.closest('[data-entry]');
    if (item && event.target.type === 'checkbox' && event.target.checked) { alone(item, event.target); }
    note();
  });
  form.addEventListener('input', note);
  form.addEventListener('submit', function (event) {
    if (event.submitter && event.submitter.closest('.top')) { return; }  // Lock and Low light send no case
    sending = true;
    clearTimeout(timer);
  });

  function note() {
    if (!form.dataset.draft) { return; }
    changed = true;
    clearTimeout(timer);
    if (over) { return; }
    timer = setTimeout(keep, 8000);
  }
  function body() {
    var data = new FormData(form);
    data.set('act', 'draft'); data.set('quiet', 'yes');
    return data;
  }
  function keep() {
    if (!changed || sending) { return; }
    changed = false;
    fetch(form.dataset.draft, { method: 'POST', body: body(), credentials: 'same-origin' }).then(function (answer) {
      if (answer.ok && !answer.redirected) {
        said.textContent = 'Draft kept ' + new Date().toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
        return;
      }
      changed = true;
      if (answer.status === 409) { return answer.text().then(end); }
      if (answer.status >= 500) { throw new Error(String(answer.status)); }
      said.textContent = 'Draft not kept: sign in again in another tab';
    }).catch(function () { changed = true; said.textContent = 'Draft not kept, trying again'; timer = setTimeout(keep, 8000); });
  }
  // The case was entered or given up meanwhile: what is typed on is kept nowhere until it is sent as another.
  function end(why) {
    over = true;
    said.textContent = 'Not kept. ' + why;
  }
  window.addEventListener('beforeunload', function (event) { if (over && !sending) { event.preventDefault(); } });
  window.addEventListener('pagehide', function () {
    if (changed && !sending && !over && form.dataset.draft) { navigator.sendBeacon(form.dataset.draft, body()); }
  });

  var bad = form.querySelector('.e--bad input, .e--bad select');
  var first = bad || items.map(function (i) { return i.querySelector('input, select'); }).find(function (i) { return i; });
  if (bad || (first && !form.contains(document.activeElement))) { first.focus(); }  // the field says itself what is wrong
  if (enteredEarly(form).length) { note(); }
})();
