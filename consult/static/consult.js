/* The consultation screen: says truthfully whether each answer is saved, and sends it again until it is. */
(function () {
  'use strict';
  document.documentElement.classList.add('js');
  var state = document.getElementById('save-state');
  var csrf = document.querySelector('meta[name="csrf-token"]').content;
  var waiting = new Map();  // question -> {key, tries, timer}: what the server does not have yet
  var signedOut = false;
  var seenItems = new Set(), seenBlocks = new Set();

  function newKey() {
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, function (b) { return b.toString(16).padStart(2, '0'); }).join('');
  }
  function say(text, bad) {
    if (state.textContent !== text) { state.textContent = text; }
    state.classList.toggle('who__save--not', Boolean(bad));
  }
  function now() {
    return new Date().toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  }
  function tell() {
    var failed = Array.from(waiting.values()).filter(function (w) { return w.tries > 0; }).length;
    if (failed && signedOut) { say('Not saved: sign in again in another tab', true); }
    else if (failed) { say('Not saved, retrying (' + failed + ')', true); }
    else if (waiting.size) { say('Saving'); }
    else if (document.querySelector('.q__conflict, .q__error')) { say('Not saved: see the question', true); }
    else { say('Saved ' + now()); }
  }
  function fieldset(element) { return element.closest ? element.closest('.q__set') : null; }

  document.addEventListener('change', function (event) {
    var set = fieldset(event.target);
    if (!set || !set.dataset.q) { return; }
    var reason = set.querySelector('select[name^="reason."]');
    if (event.target === reason && reason.value) {
      set.querySelectorAll('input:checked').forEach(function (i) { i.checked = false; });
    } else if (reason && event.target !== reason && event.target.checked) { reason.value = ''; }
    wait(set);
  });
  document.addEventListener('input', function (event) {
    var set = fieldset(event.target);
    if (!set || !set.dataset.q || !event.target.matches('textarea, input[type="text"]')) { return; }
    wait(set);
    clearTimeout(set.typing);
    set.typing = setTimeout(function () { htmx.trigger(set, 'save'); }, 1500);
  });
  function wait(set) {
    var held = waiting.get(set.dataset.q);
    if (held) { clearTimeout(held.timer); }
    waiting.set(set.dataset.q, { key: newKey(), tries: 0, timer: 0 });
    tell();
  }

  document.addEventListener('htmx:configRequest', function (event) {
    var element = event.detail.elt, set = element.matches('.q__set') ? element : null;
    event.detail.headers['X-CSRFToken'] = csrf;
    if (set) {
      clearTimeout(set.typing);
      var held = waiting.get(set.dataset.q) || { key: newKey(), tries: 0, timer: 0 };
      waiting.set(set.dataset.q, held);
      held.sent = held.key;
      event.detail.parameters.key = held.key;
      tell();
    } else if (element.dataset.remove) { event.detail.parameters.key = newKey(); }
  });
  document.addEventListener('htmx:afterRequest', function (event) {
    // What asked may be gone by now, put out by its own reply: then the event comes from what stood around it.
    var element = event.detail.requestConfig ? event.detail.requestConfig.elt : event.detail.elt;
    var set = element.matches('.q__set') ? element : null, xhr = event.detail.xhr;
    var answered = xhr && xhr.status >= 200 && xhr.status < 500 && xhr.status !== 401 && xhr.status !== 400 && xhr.status !== 403;
    if (element.dataset.remove && answered && xhr.status === 200) { clear(element.dataset.remove); }
    if (!set) { return; }
    var held = waiting.get(set.dataset.q);
    if (!held) { return; }
    var item = set.closest('.q');
    if (answered) {
      if (item) { item.classList.remove('q--not-saved'); }
      if (held.sent === held.key) { waiting.delete(set.dataset.q); }
      tell();
    } else {
      signedOut = Boolean(xhr) && xhr.status === 401;
      again(set, held, item);
    }
  });
  function again(set, held, item) {
    held.tries += 1;
    if (item) { item.classList.add('q--not-saved'); }
    clearTimeout(held.timer);
    held.timer = setTimeout(function () { htmx.trigger(set, 'save'); }, Math.min(1000 * Math.pow(2, held.tries - 1), 10000));
    tell();
  }
  // A question that goes off the path while its answer is on the way is still saved: it is kept aside, not lost.
  document.addEventListener('htmx:oobBeforeSwap', function (event) {
    event.detail.target.querySelectorAll('.q__set').forEach(function (set) {
      var held = waiting.get(set.dataset.q);
      if (held) { send(set.dataset.q, held, set.dataset.hxPost, fields(set, held.key)); }
    });
  });
  function fields(set, key) {
    var body = new URLSearchParams();
    set.querySelectorAll('input, select, textarea').forEach(function (i) {
      if (i.name && (i.checked || !/^(radio|checkbox)$/.test(i.type))) { body.append(i.name, i.value); }
    });
    body.append('key', key);
    return body;
  }
  function send(question, held, address, body) {
    fetch(address, { method: 'POST', headers: { 'X-CSRFToken': csrf, 'HX-Request': 'true' }, body: body }).then(function (reply) {
      if (!reply.ok && reply.status !== 409 && reply.status !== 422) { throw new Error(String(reply.status)); }
      if (waiting.get(question) === held) { waiting.delete(question); }
      tell();
    }).catch(function () {
      held.tries += 1;
      tell();
      setTimeout(function () { send(question, held, address, body); }, Math.min(1000 * Math.pow(2, held.tries - 1), 10000));
    });
  }
  // After a conflict: the answer given here once more, or the page anew with the other one.
  document.addEventListener('click', function (event) {
    if (event.target.matches('[data-again]')) { htmx.trigger(fieldset(event.target), 'save'); }
    if (event.target.matches('[data-other]')) {
      event.preventDefault();
      location.hash = event.target.hash;
      location.reload();
    }
  });
  function clear(question) {
    var set = document.querySelector('.q__set[data-q="' + question + '"]');
    if (!set) { return; }
    set.querySelectorAll('input[type="radio"], input[type="checkbox"]').forEach(function (i) { i.checked = false; });
    set.querySelectorAll('select, textarea, input[type="text"], input[type="date"]').forEach(function (i) { i.value = ''; });
    tell();
    var first = set.querySelector('input:not([type="hidden"]), select, textarea');
    if (first) { first.focus({ preventScroll: true }); }
  }
  window.addEventListener('beforeunload', function (event) { if (waiting.size) { event.preventDefault(); } });

  // "No to the rest" appears once each item of its block has been wholly on screen.
  var observer = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (entry.intersectionRatio >= 0.99) { seenItems.add(entry.target.dataset.item); observer.unobserve(entry.target); }
    });
    show();
  }, { threshold: [0.99, 1] });
  function show() {
    document.querySelectorAll('[data-rest]').forEach(function (rest) {
      var items = Array.from(rest.closest('.block').querySelectorAll('[data-item]'));
      if (seenBlocks.has(rest.dataset.rest) || items.every(function (i) { return seenItems.has(i.dataset.item); })) {
        seenBlocks.add(rest.dataset.rest);
        rest.classList.add('rest--seen');
      }
    });
  }
  function watch() {
    document.querySelectorAll('.block [data-item]').forEach(function (item) {
      if (!seenItems.has(item.dataset.item) && item.closest('.block').querySelector('[data-rest]')) { observer.observe(item); }
    });
    show();
  }
  document.addEventListener('htmx:afterSettle', watch);
  watch();
  say('Each answer is saved when given');
  var summary = document.getElementById('error-summary');
  if (summary) { summary.focus(); }
}());
