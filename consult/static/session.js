/* The idle lock: covers the page, keeps what was typed in it, and goes on after the password or a new sign-in. */
(function () {
  'use strict';
  var root = document.documentElement, lock = document.getElementById('lock'), soon = document.getElementById('soon');
  var password = document.getElementById('lock-password'), problem = document.getElementById('lock-problem');
  function meta(name) { return document.querySelector('meta[name="' + name + '"]'); }
  var madeFor = meta('made-for').content, warning = Number(meta('session-warning').content) * 1000;
  var until = Date.now() + Number(meta('session-left').content) * 1000;
  var told = Date.now(), asked = Date.now(), covered = '', before = null, asking = false;
  var others = window.BroadcastChannel ? new BroadcastChannel('consult-session') : null;

  function ask(method, address, body) {
    asked = Date.now();
    return fetch(address || lock.dataset.session, {
      method: method || 'GET', body: body, cache: 'no-store',
      headers: { 'X-CSRFToken': meta('csrf-token').content, 'HX-Request': 'true' }
    }).then(function (reply) { return reply.json(); });
  }
  function look() {
    if (asking) { return; }
    asking = true;
    ask().then(stands, function () {}).then(function () { asking = false; });
  }
  function stands(now) {
    if (now.state === 'ended') { cover('ended'); return; }
    if (now.person !== madeFor) { document.getElementById('lock-other').textContent = now.name; cover('other'); return; }
    if (now.state === 'locked') { cover('locked'); return; }
    meta('csrf-token').content = now.csrf;
    document.querySelectorAll('input[name="csrf_token"]').forEach(function (i) { i.value = now.csrf; });
    until = Date.now() + now.left * 1000;
    if (covered) { uncover(); }
    say();
  }
  function say() {
    var left = until - Date.now();
    var words = !covered && left <= warning ? 'This screen locks in ' + Math.max(1, Math.ceil(left / 60000)) + ' min. Press any key to stay.' : '';
    if (soon.textContent !== words) { soon.textContent = words; }
  }
  function rest() { return Array.from(document.body.children).filter(function (e) { return e !== lock; }); }
  function cover(why) {
    if (covered === why) { return; }
    if (!covered) { before = document.activeElement; }
    covered = why;
    soon.textContent = '';
    root.classList.add('covered');
    rest().forEach(function (e) { e.inert = true; });
    lock.hidden = false;
    lock.querySelectorAll('[data-lock-when]').forEach(function (part) { part.hidden = part.dataset.lockWhen !== why; });
    document.getElementById('lock-title').textContent = why === 'locked' ? 'Locked' : 'Signed out';
    var unsent = Number(root.dataset.unsent || 0);
    document.getElementById('lock-unsent').textContent = unsent ? unsent + (unsent === 1 ? ' answer is' : ' answers are') + ' not saved yet and waits on this page.' : '';
    (why === 'locked' ? password : lock.querySelector('.lock__box')).focus();
  }
  function uncover() {
    covered = '';
    problem.textContent = password.value = '';
    root.classList.remove('covered');
    rest().forEach(function (e) { e.inert = false; });
    lock.hidden = true;
    if (before && before.focus) { before.focus({ preventScroll: true }); }
    told = Date.now();
    document.dispatchEvent(new CustomEvent('consult:again'));
    if (others) { others.postMessage('look'); }
  }
  function here() {  // somebody is at the screen: the server is told so at most once a minute
    if (covered || Date.now() >= until || (!soon.textContent && Date.now() - told < 60000)) { return; }
    told = Date.now();
    ask('POST').then(stands, function () {});
  }
  function tick() {
    var left = until - Date.now();
    if (!covered && left <= 0) { cover('locked'); }
    if (covered || left <= warning || Date.now() - asked >= 60000) { look(); }
    say();
  }
  setInterval(tick, 5000);
  ['keydown', 'pointerdown', 'wheel'].forEach(function (name) { document.addEventListener(name, here, { passive: true }); });
  window.addEventListener('focus', look);
  document.addEventListener('visibilitychange', function () { if (!document.hidden) { tick(); look(); } });
  document.addEventListener('consult:refused', look);
  if (others) { others.onmessage = look; }

  // A page that Back brings out of the browser's memory is made anew, unless something on it is not saved yet.
  window.addEventListener('pageshow', function (event) {
    if (!event.persisted) { return; }
    if (Number(root.dataset.unsent || 0)) { look(); } else { location.reload(); }
  });

  document.addEventListener('submit', function (event) {
    if (event.submitter && event.submitter.hasAttribute('data-lock')) {
      event.preventDefault();
      cover('locked');
      ask('POST', lock.dataset.lock).catch(function () {}).then(function () { if (others) { others.postMessage('look'); } });
    }
    if (event.target.id !== 'lock-form') { return; }
    event.preventDefault();
    var body = new URLSearchParams({ password: password.value });
    password.value = '';
    ask('POST', lock.dataset.unlock, body).then(function (now) {
      problem.textContent = now.problem || '';
      stands(now);
      if (covered === 'locked') { password.focus(); }
    }, function () { problem.textContent = 'The server cannot be reached; try again.'; });
  });
}());
