/* The idle lock: covers the page, keeps what was typed in it, and goes on after the password or a new sign-in. */
(function () {
  'use strict';
  var root = document.documentElement, lock = document.getElementById('lock'), soon = document.getElementById('soon');
  var password = document.getElementById('lock-password'), problem = document.getElementById('lock-problem');
  function meta(name) { return document.querySelector('meta[name="' + name + '"]'); }
  var WAIT = 8000;  // milliseconds until a request without a reply is given up
  var madeFor = meta('made-for').content, warning = Number(meta('session-left').dataset.warning) * 1000;
  var until = Date.now() + Number(meta('session-left').content) * 1000;
  var told = Date.now(), ticks = 0, covered = '', before = null, at = null, asking = false;
  var locking = false, turn = 0;  // asked to lock, and not yet heard that it is; what was asked before a turn is out of date
  var lockAsked = null, lockSoon = 0;  // the one request to lock that is on its way, or the timer after which it goes
  var others = window.BroadcastChannel ? new BroadcastChannel('consult-session') : null;

  function ask(method, address, body) {
    return fetch(address || lock.dataset.session, {
      method: method || 'GET', body: body, cache: 'no-store', signal: AbortSignal.timeout(WAIT),
      headers: { 'X-CSRFToken': meta('csrf-token').content, 'HX-Request': 'true' }
    }).then(function (reply) { return reply.json(); });
  }
  function look() {
    if (asking) { return; }
    var then = turn;
    asking = true;
    ticks = 0;
    ask().then(function (now) { if (then === turn) { stands(now); } }, function () {}).then(function () { asking = false; });
  }
  function stands(now) {
    root.classList.remove('away');
    if (now.state === 'ended') { locking = false; cover('ended'); return; }
    if (now.person !== madeFor) { document.getElementById('lock-other').textContent = now.name; cover('other'); return; }
    meta('csrf-token').content = now.csrf;
    document.querySelectorAll('input[name="csrf_token"]').forEach(function (i) { i.value = now.csrf; });
    if (now.state === 'locked') { locking = false; cover('locked'); return; }
    until = Date.now() + now.left * 1000;
    if (locking) {
      if (!lockSoon) { lockThere(); }
      return;
    }
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
    if (!covered) { before = leave(); }
    covered = why;
    soon.textContent = '';
    root.classList.add('covered');
    rest().forEach(function (e) { e.inert = true; });
    lock.hidden = false;
    lock.querySelectorAll('[data-lock-when]').forEach(function (part) { part.hidden = part.dataset.lockWhen !== why; });
    document.getElementById('lock-title').textContent = why === 'locked' ? 'Locked' : 'Signed out';
    sayUnsent();
    (why === 'locked' ? password : lock.querySelector('.lock__box')).focus();
  }
  function unsent() { return Number(root.dataset.unsent || 0); }
  function sayUnsent() {
    var n = unsent(), words = n === 1 ? '1 answer is not saved yet and waits on this page.' : n + ' answers are not saved yet and wait on this page.';
    document.getElementById('lock-unsent').textContent = n ? words : '';
  }
  function leave() {  // where one was, to go back there; a selection in the page would still be there to copy
    var active = document.activeElement;
    if (active && active.matches('input, select, textarea')) { active.blur(); }
    getSelection().removeAllRanges();
    return active && active !== document.body && !active.hasAttribute('data-lock') ? active : at;
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
    var then = turn;
    told = Date.now();
    ask('POST').then(function (now) { if (then === turn) { stands(now); } }, function () {});
  }
  function tick() {
    var left = until - Date.now();
    if (!covered && left <= 0) { cover('locked'); }
    ticks += 1;
    if (covered || left <= warning || ticks >= 12) { look(); }
    say();
  }
  setInterval(tick, 5000);
  ['keydown', 'pointerdown', 'wheel'].forEach(function (name) { document.addEventListener(name, here, { passive: true }); });
  window.addEventListener('focus', look);
  document.addEventListener('visibilitychange', function () { if (!document.hidden) { tick(); look(); } });
  document.addEventListener('consult:refused', look);
  document.addEventListener('focusin', function (event) { if (!event.target.closest('.lock, .top')) { at = event.target; } });
  new MutationObserver(sayUnsent).observe(root, { attributes: true, attributeFilter: ['data-unsent'] });
  if (others) {  // signing out is on its way when it is told, so that there is a second look
    others.onmessage = function () { look(); setTimeout(look, 1500); };
    if (document.referrer.indexOf('/sign-in') > 0) { others.postMessage('look'); }
  }

  // The reply to a form that was refused can be asked for anew at its own address: Back then sends nothing again.
  var summary = document.getElementById('error-summary');
  if (summary) { summary.focus(); }
  if (document.querySelector('[data-own-address]')) { history.replaceState(null, '', location.href); }

  // A page that Back brings out of the browser's memory is made anew, unless something on it is not saved yet. It shows
  // nothing until it is known who is signed in.
  window.addEventListener('pagehide', function (event) { if (event.persisted) { root.classList.add('away'); } });
  window.addEventListener('pageshow', function (event) {
    if (!event.persisted) { return; }
    root.classList.add('away');
    if (unsent()) { cover('locked'); asking = false; look(); } else { location.reload(); }
  });

  // The page is covered at once. What is not saved yet goes first, then the session is locked, again until it is.
  function lockHere() {
    turn += 1;
    locking = true;
    cover('locked');
    document.dispatchEvent(new CustomEvent('consult:locking'));
    lockSoon = setTimeout(lockThere, unsent() ? 600 : 0);
  }
  function lockThere() {
    clearTimeout(lockSoon);
    lockSoon = 0;
    lockAsked = lockAsked || ask('POST', lock.dataset.lock).then(stands, function () {}).then(function () {
      lockAsked = null;
      if (others) { others.postMessage('look'); }
    });
    return lockAsked;
  }

  // A screen that is turned to the employee shows nothing but "Covered": one chord or button, and the same again. It is
  // no lock: answers on their way are saved, and the idle lock goes on behind it.
  var sheet = document.getElementById('cover'), from = null;
  root.classList.add('alive');
  // Pages may leave to scripts from now on what only they can do: the rest of a long page, say.
  document.cookie = location.protocol === 'https:' ? '__Host-scripts=run; path=/; samesite=strict; secure' : 'scripts=run; path=/; samesite=strict';
  function blank() {
    var hide = sheet.hidden;
    if (hide) { from = document.activeElement; }
    sheet.hidden = !hide;
    root.classList.toggle('blank', hide);
    if (hide) { sheet.querySelector('button').focus(); } else if (from && from.focus) { from.focus({ preventScroll: true }); }
  }
  document.addEventListener('keydown', function (event) {
    if (event.ctrlKey && event.shiftKey && !event.altKey && event.code === 'KeyH' && !covered) { event.preventDefault(); blank(); }
  });
  document.addEventListener('click', function (event) { if (event.target.matches('[data-cover]')) { blank(); } });

  document.addEventListener('submit', function (event) {
    if (event.submitter && event.submitter.hasAttribute('data-lock')) {
      event.preventDefault();
      lockHere();
      return;
    }
    if (event.submitter && event.submitter.closest('.top__user') && others) { others.postMessage('look'); }
    if (event.target.id !== 'lock-form') { return; }
    event.preventDefault();
    var body = new URLSearchParams({ password: password.value });
    password.value = '';
    unlock(body);
  });
  document.addEventListener('consult:credential', function (event) {
    var held = event.target.querySelector('[name="unlock_credential"]'), body = new URLSearchParams({ unlock_credential: held.value });
    held.value = '';
    unlock(body);
  });
  // A lock that is still on its way comes first: after the unlocking it would lock the screen once more.
  function unlock(body) {
    Promise.resolve(lockSoon ? lockThere() : lockAsked).then(function () { unlockThere(body); });
  }
  function unlockThere(body) {
    turn += 1;
    ask('POST', lock.dataset.unlock, body).then(function (now) {
      turn += 1;
      problem.textContent = now.problem || '';
      if (!now.problem) { locking = false; }
      stands(now);
      if (covered === 'locked') { password.focus(); }
    }, function () { problem.textContent = 'The server cannot be reached; try again.'; });
  }
  // A date pasted or typed whole into one of its boxes is shared out among the three.
  function whole(text) {
    var iso = text.match(/^(\d{4})-(\d\d)-(\d\d)$/);
    return iso ? [iso[3], iso[2], iso[1]] : (text.match(/^(\d\d)(\d\d)(\d{4})$/) ||
      text.match(/^(\d{1,2})(?:st|nd|rd|th)?[ .\/-]+(\d{1,2}|[a-z]{3,9})\.?[ ,.\/-]+(\d{4})$/i) || []).slice(1);
  }
  function share(target, text) {
    var dates = target.closest ? target.closest('.dates') : null, parts = dates ? whole(text.trim()) : [];
    parts.forEach(function (part, i) { dates.querySelectorAll('input')[i].value = part; });
    return parts.length > 0;
  }
  document.addEventListener('paste', function (event) {
    if (!event.clipboardData || !share(event.target, event.clipboardData.getData('text'))) { return; }
    event.preventDefault();
    event.target.dispatchEvent(new Event('change', { bubbles: true }));
  });
  document.addEventListener('change', function (event) { share(event.target, event.target.value || ''); }, true);
}());
