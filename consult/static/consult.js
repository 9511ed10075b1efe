/* The consultation screen: says truthfully whether each answer is saved, and sends it again until it is. */
(function () {
  'use strict';
  document.documentElement.classList.add('js');
  var state = document.getElementById('save-state');
  function meta(name) { return document.querySelector('meta[name="' + name + '"]').content; }
  var LATE = 1200, RETRY = 500;  // milliseconds; a request without a reply is given up (htmx-config) and sent again
  // Question -> what the server is not known to have: `key` names the answer in the control, `sending` is the request on
  // its way or without a reply. That one is sent again as it was until there is one: only then is it known what stands.
  var waiting = new Map();
  var acts = new Set();  // buttons whose request got no reply: it is sent again, too
  var inTheWay = new Map();  // such a button, or one whose request is on its way -> the questions it is about, as a selector
  var pressed = new Set();  // what a button was pressed for that waits until answers have reached the server
  var latest = new Map();  // question -> the key of what was last entered here
  var signedOut = false, stale = false, trouble = '', gone = '';  // `gone`: an answer is lost with its question, and stays so
  var AGAIN = 'That was not recorded: try again';
  var seenTop = new Set(), seenEnd = new Set();

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
    document.documentElement.dataset.unsent = String(underWay());
    var failed = Array.from(waiting.values()).filter(late).length + acts.size;
    if (failed && stale) { say('Not saved: note what you entered and reload this page', true); }
    else if (gone || trouble) { say(gone || trouble, true); }
    else if (failed && signedOut) { say('Not saved: the screen is locked', true); }
    else if (failed) { say('Not saved, retrying (' + failed + ')', true); }
    else if (underWay()) { say('Saving'); }
    else if (document.querySelector(UNSETTLED + ', .decide__note')) { say('Not saved: see the question', true); }
    else if (halfTyped().length) { say('Not saved: finish the date', true); }
    else { say('Saved ' + now()); }
  }
  function underWay() { return waiting.size + inTheWay.size + pressed.size; }
  function late(held) {
    return held.tries > 0 || (held.sending && (!navigator.onLine || Date.now() - held.sending.at > LATE));
  }
  setInterval(function () {
    if (underWay()) { tell(); }
    if (goingOn && late(waiting.get(goingOn.question) || {})) { goOn(); }
  }, 200);
  window.addEventListener('offline', tell);
  window.addEventListener('online', sendAllAgain);
  function fieldset(element) { return element.closest ? element.closest('.q__set') : null; }
  function setOf(question) { return document.querySelector('.q__set[data-q="' + question + '"]'); }
  function save(question) { var set = setOf(question); if (set) { htmx.trigger(set, 'save'); } }
  var UNSETTLED = '.q__conflict, .q__error:not(#lock-problem, .decide__note)';

  document.addEventListener('change', function (event) {
    var set = fieldset(event.target);
    if (!set || !set.dataset.q || begun(event.target)) { return; }
    var reason = set.querySelector('select[name^="reason."]');
    if (event.target === reason && reason.value) {
      set.querySelectorAll('input:checked').forEach(function (i) { i.checked = false; });
      set.querySelectorAll('.dates input, select:not([name^="reason."])').forEach(function (i) { i.value = ''; });
    } else if (reason && event.target !== reason && (event.target.checked || event.target.value)) { reason.value = ''; }
    if (event.target.type === 'checkbox' && event.target.checked) { standAlone(set, event.target); }
    wait(set);
  });
  // A date of which some boxes are still empty is sent only once they are left.
  function begun(box) {
    var dates = box.closest('.dates');
    if (!dates) { return false; }
    var said = Array.from(dates.querySelectorAll('input'), function (i) { return i.value.trim(); });
    return said.some(Boolean) && !(said[0] && said[1] && said[2].length > 3) && !(said[0].length > 5 && !said[1] && !said[2]);
  }
  function halfTyped() {
    return Array.from(document.querySelectorAll('.q__set .dates')).filter(function (dates) { return begun(dates.querySelector('input')); });
  }
  document.addEventListener('input', function (event) { if (fieldset(event.target) && begun(event.target)) { tell(); } });
  document.addEventListener('change', function (event) {
    if (fieldset(event.target) && begun(event.target)) { event.stopPropagation(); }
  }, true);
  document.addEventListener('focusout', function (event) {
    var set = fieldset(event.target), dates = event.target.closest('.dates');
    if (!set || !dates || dates.contains(event.relatedTarget) || !begun(event.target)) { return; }
    wait(set);
    htmx.trigger(set, 'save');
  });
  function standAlone(set, ticked) {
    set.querySelectorAll('input[type="checkbox"]:checked').forEach(function (i) {
      if (i !== ticked && (ticked.hasAttribute('data-alone') || i.hasAttribute('data-alone'))) { i.checked = false; }
    });
  }
  document.addEventListener('input', function (event) {
    var set = fieldset(event.target);
    if (!set || !set.dataset.q || begun(event.target) || !event.target.matches('textarea, input[type="text"]')) { return; }
    wait(set);
    clearTimeout(set.typing);
    set.typing = setTimeout(function () { htmx.trigger(set, 'save'); }, 1500);
  });
  function wait(set) {
    var held = waiting.get(set.dataset.q) || { tries: 0, timer: 0, sending: null };
    held.key = newKey();
    latest.set(set.dataset.q, held.key);
    held.set = set;
    waiting.set(set.dataset.q, held);
    tell();
  }

  document.addEventListener('htmx:configRequest', function (event) {
    var element = event.detail.elt, set = element.matches('.q__set') ? element : null;
    event.detail.headers['X-CSRFToken'] = meta('csrf-token');
    event.detail.headers['X-Made-For'] = meta('made-for');
    if (set) {
      clearTimeout(set.typing);
      if (!waiting.has(set.dataset.q)) { wait(set); }
      var held = waiting.get(set.dataset.q);
      clearTimeout(held.timer);
      if (!held.sending) { held.sending = { key: held.key, form: formOf(event.detail.formData, set, held) }; }
      held.sending.at = Date.now();
      event.detail.parameters = held.sending.form;
      tell();
    } else if (element.dataset.remove || element.closest('[data-rest]')) {
      inTheWay.set(element, element.dataset.remove ? '[data-q="' + element.dataset.remove + '"]'
        : '#block-' + element.closest('[data-rest]').dataset.rest + ' .q__set');
    }
    if (element.hasAttribute('data-gesture')) {
      // Of the page's one form it sends only what was known of each item: no answer goes with it.
      Object.keys(event.detail.parameters).forEach(function (name) {
        if (name !== 'key' && name.indexOf('seen.') !== 0) { delete event.detail.parameters[name]; }
      });
    } else if (element.dataset.remove) {
      element.dataset.key = element.dataset.key || newKey();
      event.detail.parameters.key = element.dataset.key;
    }
  });
  function formOf(fields, set, held) {
    var form = new FormData();
    fields.forEach(function (value, name) { if (name !== 'key') { form.append(name, value); } });
    asBefore(form, set);
    form.append('key', held.key);
    // Given before the page showed another answer: it stays an answer to what was shown then, and is not put over it.
    if (held.seen !== undefined) { form.set('seen.' + set.dataset.q, held.seen); }
    return form;
  }
  // A date that is still being typed goes as it was before: half of one is none, and another part of the answer may be due.
  function asBefore(form, set) {
    set.querySelectorAll('.dates').forEach(function (dates) {
      var boxes = Array.from(dates.querySelectorAll('input'));
      var half = dates.contains(document.activeElement) && begun(boxes[0]);
      boxes.forEach(function (box) {
        if (half) { form.set(box.name, 'sent' in box.dataset ? box.dataset.sent : box.defaultValue); }
        else { box.dataset.sent = box.value; }
      });
    });
  }
  // What asked may be gone by then, put out by its own reply, which htmx tells what stood around it, or by another one, which
  // it tells nobody: so the request itself is listened to, too.
  var heardOf = new WeakSet();
  document.addEventListener('htmx:beforeRequest', function (event) {
    var element = event.detail.elt, xhr = event.detail.xhr;
    xhr.addEventListener('loadend', function () { setTimeout(came, 0, element, xhr); });
  });
  document.addEventListener('htmx:afterRequest', function (event) {
    var asked = event.detail.requestConfig;
    came(asked ? asked.elt : event.detail.elt, event.detail.xhr);
  });
  function came(element, xhr) {
    if (xhr && heardOf.has(xhr)) { return; }
    if (xhr) { heardOf.add(xhr); }
    var set = element.matches('.q__set') ? element : null;
    var status = whole(xhr) ? xhr.status : 0, answered = status === 200 || status === 409 || status === 422;
    if (element.dataset.remove && status === 200 && !waiting.has(element.dataset.remove)) { clear(element.dataset.remove); }
    if (!set) {
      acts.delete(element);
      trouble = '';
      if (status === 0 || status >= 500) { actAgain(element); }
      else if (status === 401 || status === 423) { acts.add(element); signedOut = true; }  // it goes once the screen is unlocked
      else {
        inTheWay.delete(element);
        if (status === 200) { delete element.dataset.key; }
        else if (!element.dataset.remove || !answered) { trouble = AGAIN; }
      }
      if (status === 401 || status === 423) { document.dispatchEvent(new CustomEvent('consult:refused')); }
      tell();
      return;
    }
    if (status === 200) { trouble = ''; }
    var held = waiting.get(set.dataset.q);
    if (!held) { return; }
    var item = set.closest('.q');
    if (answered) {
      if (item) { item.classList.remove('q--not-saved'); }
      heard(set.dataset.q, held, status);
      if (waiting.has(set.dataset.q)) { save(set.dataset.q); }
      tell();
      arrived();
      sendAllAgain();
    } else {
      signedOut = status === 401 || status === 423;
      stale = status === 400 || status === 403 || status === 404 || status === 413;
      again(set, held, item);
      if (signedOut || status === 400) { document.dispatchEvent(new CustomEvent('consult:refused')); }
    }
  }
  // A connection that ends within the head of a reply leaves a browser with "200" and nothing in it: that is no reply.
  function whole(xhr) {
    return Boolean(xhr) && (xhr.status !== 200 || xhr.responseText.indexOf('id="report-state"') >= 0);
  }
  document.addEventListener('htmx:beforeSwap', function (event) {
    if (!whole(event.detail.xhr)) { event.detail.shouldSwap = false; }
  });
  // There was a reply to what was sent; what was entered meanwhile goes next.
  function heard(question, held, status) {
    var newer = held.sending && held.sending.key !== held.key;
    if (newer && status === 409) { held.seen = held.sending.form.get('seen.' + question); }
    held.sending = null;
    held.tries = 0;
    clearTimeout(held.timer);
    signedOut = stale = false;
    if (!newer) { waiting.delete(question); }
  }
  function sendAllAgain() {
    waiting.forEach(function (held, question) { if (held.tries > 0) { save(question); } });
  }
  // A button's request is sent again with its own key, unless a reply has put another button in its place.
  function actAgain(element) {
    acts.add(element);
    setTimeout(act, RETRY, element);
  }
  function act(element) {
    if (document.contains(element)) { htmx.trigger(element, element.matches('form') ? 'submit' : 'click'); return; }
    acts.delete(element);
    inTheWay.delete(element);
    trouble = AGAIN;
    tell();
  }
  function again(set, held, item) {
    held.tries += 1;
    if (item) { item.classList.add('q--not-saved'); }
    clearTimeout(held.timer);
    if (signedOut) { tell(); return; }  // it goes once the screen is unlocked
    held.timer = setTimeout(save, RETRY, set.dataset.q);
    tell();
  }
  function sendEach() {
    waiting.forEach(function (held, question) {
      held.tries = 0;
      save(question);
    });
  }
  document.addEventListener('consult:locking', sendEach);
  document.addEventListener('consult:again', function () {
    signedOut = stale = false;
    trouble = '';
    sendEach();
    acts.forEach(act);
    tell();
  });
  // What a reply draws anew is not put over what the server does not have: an answer that is on its way, or was refused.
  // A question that goes off the path while its answer is on the way is still saved: it is kept aside, not lost.
  document.addEventListener('htmx:oobBeforeSwap', function (event) {
    var slot = event.detail.target, set = slot.querySelector('.q__set');
    if (!set) { return; }
    var held = waiting.get(set.dataset.q), drawn = event.detail.fragment;
    if (slot.querySelector(UNSETTLED)) {
      event.detail.shouldSwap = false;
      putIn(slot, drawn, ['.q__panel']);
    } else if (held && drawn.querySelector('.q__set')) {
      event.detail.shouldSwap = false;
      putIn(slot, drawn, held.sending ? ['.q__control', '.q__panel'] : ['.q__control', '.q__state', '.q__panel']);
    } else if (held) {
      var bodies = held.sending ? [held.sending.form] : [];
      if (!held.sending || held.sending.key !== held.key) { bodies.push(fields(set, held.key)); }
      send(set.dataset.q, held, set.dataset.hxPost, bodies.map(function (body) { return new URLSearchParams(body); }));
    }
  });
  // Parts of a question as they are drawn anew, around the answer that stands in its control.
  function putIn(slot, drawn, parts) {
    var set = slot.querySelector('.q__set'), entered = Array.from(fields(set, '')), focused = document.activeElement;
    var writing = focused.matches('textarea, [type="text"]') && slot.contains(focused);
    keepTyped(slot);
    parts.forEach(function (part) {
      var old = slot.querySelector(part), fresh = drawn.querySelector(part);
      if (old && fresh && !(writing && part === '.q__control')) { old.replaceWith(fresh); htmx.process(fresh); }
    });
    if (parts.length > 1) { enter(set, entered); }
    giveBack(slot);
    if (focused.id && !document.contains(focused)) { refocus(document.getElementById(focused.id)); }
  }
  function refocus(element) { if (element) { element.focus({ preventScroll: true }); } }
  // Fill a control with what was entered: pairs of name and value.
  function enter(set, entered) {
    set.querySelectorAll('.q__control :is(input, select, textarea)').forEach(function (i) {
      var values = entered.filter(function (pair) { return pair[0] === i.name; }).map(function (pair) { return pair[1]; });
      if (/^(radio|checkbox)$/.test(i.type)) { i.checked = values.indexOf(i.value) >= 0; } else { i.value = values[0] || ''; }
    });
  }
  // A decision half typed stays when the text above it is drawn anew, also where that is gone for a while.
  var typed = new Map(), DECIDE = '.decide :is(select, input:not([type="hidden"]))';
  function keepTyped(target) {
    var values = Object.create(null);
    target.querySelectorAll(DECIDE).forEach(function (i) {
      if (i.value) { values[i.name] = i.value; }
      if (i === document.activeElement) { values[''] = i.name; }
    });
    if (Object.keys(values).length) { typed.set(target.id, values); }
  }
  function giveBack(target) {
    var values = typed.get(target.id), now = target.querySelectorAll(DECIDE);
    if (!values || !now.length) { return; }
    typed.delete(target.id);
    now.forEach(function (i) {
      if (values[i.name]) { i.value = values[i.name]; }
      if (values[''] === i.name) { refocus(i); }
    });
  }
  // Where a reply takes away what has the focus, the next stop has it, so that the keyboard goes on from there.
  // htmx tells of the end of a swap only where the element that asked still stands; the script goes on once all is done.
  document.addEventListener('htmx:oobBeforeSwap', function (event) {
    var target = event.detail.target, focused = document.activeElement;
    if (!event.detail.shouldSwap) { return; }
    var within = target.contains(focused), byKeys = within && focused.matches(':focus-visible');
    keepTyped(target);
    queueMicrotask(function () {
      giveBack(target);
      if (!within || document.activeElement !== document.body) { return; }
      var same = focused.id && document.getElementById(focused.id);
      if (same) { refocus(same); } else if (byKeys) { goTo(stopAfter(target)); }
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
  function send(question, held, address, bodies) {
    var headers = { 'X-CSRFToken': meta('csrf-token'), 'X-Made-For': meta('made-for'), 'HX-Request': 'true' };
    var signal = AbortSignal.timeout(htmx.config.timeout);
    fetch(address, { method: 'POST', headers: headers, body: bodies[0], signal: signal }).then(function (reply) {
      if (reply.status !== 200 && reply.status !== 409 && reply.status !== 422) { throw new Error(String(reply.status)); }
      if (reply.status !== 200) { gone = 'An answer to a question that no longer shows was not saved: reload this page'; }
      if (bodies.length > 1) { send(question, held, address, bodies.slice(1)); return; }
      if (waiting.get(question) === held) { waiting.delete(question); }
      tell();
    }).catch(function () {
      held.tries += 1;
      tell();
      setTimeout(function () { send(question, held, address, bodies); }, RETRY);
    });
  }
  // After a conflict: the answer that the page names as given here once more, or the page anew with the other one.
  document.addEventListener('click', function (event) {
    var set = fieldset(event.target);
    if (event.target.matches('[data-again]')) {
      set.querySelector('[name="seen.' + set.dataset.q + '"]').value = event.target.dataset.again;
      enter(set, JSON.parse(event.target.dataset.ours));
      wait(set);
      htmx.trigger(set, 'save');
    }
    if (!event.target.matches('[data-other]')) { return; }
    var conflict = set.querySelector('.q__conflict');  // nothing of it is to be kept, unless one stays after all
    conflict.className = '';
    setTimeout(function () { conflict.className = 'q__conflict'; }, 1000);
    if (event.target.pathname === location.pathname) {
      event.preventDefault();
      location.hash = event.target.hash;
      location.reload();
    }
  });
  function clear(question) {
    var set = setOf(question);
    if (!set) { return; }
    enter(set, []);
    tell();
    if (document.activeElement === document.body) { refocus(set.querySelector('.q__control :is(input, select, textarea)')); }
  }
  // What would be lost by leaving: also what was refused, and a decision half typed.
  var leaving = null, stays = 0;
  function unsaved() {
    var decide = !leaving && Array.from(document.querySelectorAll('.decide')).some(function (form) {
      return window.enteredEarly(form).length || form.querySelector('.decide__note');
    });
    return decide || gone || underWay() || halfTyped().length || document.querySelector('.q__lost, ' + UNSETTLED);
  }
  window.addEventListener('beforeunload', function (event) { if (unsaved()) { event.preventDefault(); } });
  document.addEventListener('submit', function (event) {
    leaving = event.submitter && event.submitter.closest('.decide');
    if (!leaving) { return; }
    clearTimeout(stays);  // the same press comes twice, where the server is asked first
    stays = setTimeout(function () { leaving = null; }, 1000);  // whoever is asked, and stays, is asked again
  });
  // Signing waits until everything is saved; what was refused, or answered otherwise in another window, is gone to first.
  function unsettled() {
    return Array.from(document.querySelectorAll(UNSETTLED)).find(function (e) {
      var set = fieldset(e);
      return !set || !waiting.has(set.dataset.q);
    });
  }
  function signs(button) {
    var open = unsettled();
    if (open) { goTo(fieldset(open) || open); return; }
    waiting.forEach(function (held, question) { if (!held.sending) { save(question); } });
    if (acts.size || Array.from(waiting.values()).some(function (held) { return held.tries > 0; })) { window.notDone(button); return; }
    setTimeout(function () { if (document.contains(button)) { button.click(); } }, 150);
  }

  // A press that leaves this page goes once what was entered is saved, so that the paper it leads to holds it and no browser
  // asks. What was refused, and a server that is away, stop nothing here: then the browser asks.
  var heldBack = 0;
  function soonSaved() {
    return underWay() && !acts.size && !unsettled() && !Array.from(waiting.values()).some(function (held) { return held.tries > 0; });
  }
  function addressOf(element) { return element.href || element.getAttribute('formaction') || (element.form && element.form.action); }
  // A reply may have put the same button there anew, with a new key.
  function asItStands(element) {
    return document.contains(element) ? element : Array.from(document.querySelectorAll(element.tagName)).find(function (e) {
      return addressOf(e) === addressOf(element) && e.textContent === element.textContent;
    });
  }
  function onceSaved(event, element) {
    event.preventDefault();
    waiting.forEach(function (held, question) { if (!held.sending) { save(question); } });
    clearTimeout(heldBack);
    heldBack = setTimeout(function () {
      var now = asItStands(element);
      if (now) { now.click(); }
    }, 150);
  }
  function leads(link) { return link && link.target !== '_blank' && !link.matches('[data-other]') && link.pathname !== location.pathname; }
  document.addEventListener('click', function (event) {
    var link = event.target.closest('a[href]'), other = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (leads(link) && !other && !event.defaultPrevented && soonSaved()) { onceSaved(event, link); }
  });
  document.addEventListener('submit', function (event) {
    var form = event.target;
    if ((form.id === 'answers' && !acting(event.submitter)) || opens(event) || !event.submitter || event.defaultPrevented || !form.closest('main')) { return; }
    if (soonSaved()) { onceSaved(event, event.submitter); }
  });

  // The page's one form is for browsers without scripts: Enter in a field saves that field and nothing else. A button that
  // does something else belongs to it too; here the answers go by themselves, so that it takes only what is typed for it and
  // for other such buttons, which comes back with the page.
  function acting(button) { return Boolean(button) && button.name === 'doing' && !button.hasAttribute('data-gesture'); }
  function opens(event) { return event.target.target === '_blank' || Boolean(event.submitter && event.submitter.formTarget === '_blank'); }
  var doing = null;
  document.addEventListener('formdata', function (event) {
    var button = doing;
    doing = null;
    if (event.target.id !== 'answers' || !button) { return; }
    Array.from(new Set(event.formData.keys())).forEach(function (name) {
      if (name !== 'csrf_token' && name !== 'doing' && name.indexOf('~') < 0) { event.formData.delete(name); }
    });
  });
  window.addEventListener('submit', function (event) { if (event.defaultPrevented) { doing = null; } });
  // What an act needs is asked for here, before it is sent.
  function lacking(button) {
    var group = button.closest('[data-act]');
    return group && Array.from(group.querySelectorAll('[data-needed]')).find(function (i) { return !i.value.trim(); });
  }
  document.addEventListener('click', function () {
    document.querySelectorAll('[data-needed]').forEach(function (i) { i.required = false; });
  }, true);
  document.addEventListener('submit', function (event) {
    if (event.target.id !== 'answers') { return; }
    doing = null;
    if (event.defaultPrevented) { return; }
    if (acting(event.submitter)) {
      var lacks = lacking(event.submitter);
      if (lacks) {
        event.preventDefault();
        lacks.required = true;
        lacks.reportValidity();
        return;
      }
      doing = event.submitter;
      return;
    }
    if (event.submitter && event.submitter.hasAttribute('data-signs')) {
      if (underWay() || unsettled()) { event.preventDefault(); signs(event.submitter); }
      return;
    }
    event.preventDefault();
    if (event.submitter && event.submitter.hasAttribute('data-gesture')) { press(event.submitter); return; }
    var at = document.activeElement, group = at.closest('[data-act]'), set = fieldset(at);
    if (group) { group.querySelector('[name="doing"]').click(); } else if (set && set.dataset.q) { htmx.trigger(set, 'save'); }
  });
  // An answer waits while a button that is about its question is on its way. A button waits until the answers it is about have
  // reached the server: "No to the rest" and Undo never run over one, and Remove takes away what was there when it was pressed.
  document.addEventListener('htmx:confirm', function (event) {
    var element = event.detail.elt, question = element.dataset.q;
    if (question && Array.from(inTheWay.values()).some(function (about) { return element.matches(about); })) {
      event.preventDefault();
      setTimeout(save, 150, question);
    } else if (!question && !inTheWay.has(element) && toWaitFor(element).length) {
      event.preventDefault();
      press(element);
    }
  });
  function toWaitFor(button) {
    var rest = button.closest('[data-rest]'), all = button.dataset.remove ? [button.dataset.remove] : [];
    if (rest) { all = Array.from(document.querySelectorAll('#block-' + rest.dataset.rest + ' .q__set'), function (set) { return set.dataset.q; }); }
    return all.filter(function (question) { return waiting.has(question); });
  }
  // The reply that is waited for draws the button anew, and htmx takes a moment to know it.
  function press(button) {
    var name = button.dataset.remove ? '[data-remove="' + button.dataset.remove + '"]'
      : '#rest-' + button.closest('[data-rest]').dataset.rest + ' [data-gesture="' + button.dataset.gesture + '"]';
    var key = latest.get(button.dataset.remove);
    if (pressed.has(name)) { return; }
    pressed.add(name);
    tell();
    (function look(settled) {
      var now = document.querySelector(name), newer = button.dataset.remove && latest.get(button.dataset.remove) !== key;
      var ready = now && !newer && !toWaitFor(now).length;
      if (now && !newer && !(ready && settled)) { setTimeout(look, 150, ready); return; }
      pressed.delete(name);
      if (ready) { htmx.trigger(now, now.matches('form') ? 'submit' : 'click'); }
      tell();
    }(false));
  }

  // It appears once the top and the end of each item of its block have been on screen.
  var observer = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      var view = entry.rootBounds, box = entry.boundingClientRect, id = entry.target.dataset.item;
      if (!view || !entry.isIntersecting) { return; }
      if (box.top >= view.top - 1) { seenTop.add(id); }
      if (box.bottom <= view.bottom + 1) { seenEnd.add(id); }
    });
    show();
  }, { threshold: [0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.99, 1] });
  function show() {
    document.querySelectorAll('[data-rest]').forEach(function (rest) {
      var items = Array.from(rest.closest('.block').querySelectorAll('[data-item]'));
      rest.classList.toggle('rest--seen', items.every(function (i) { return seenTop.has(i.dataset.item) && seenEnd.has(i.dataset.item); }));
    });
  }
  function watch() {
    document.querySelectorAll('.block [data-item]').forEach(function (item) {
      if (item.closest('.block').querySelector('[data-rest]')) { observer.observe(item); }
    });
    document.querySelectorAll('.q__why:not([role])').forEach(function (mark) {
      mark.setAttribute('role', 'button');
      mark.setAttribute('aria-expanded', 'false');
    });
    show();
  }
  // Enter on a choice or a list goes to the next question, with Shift to the one before; with Ctrl it does so from a text,
  // too, and with Alt to the next group. At once, so that no key meant for the next one changes this one. What is folded or
  // not on the path is passed over.
  var CHOICE = '.q__set :is([type="radio"], [type="checkbox"], select)';
  document.addEventListener('keydown', function (event) {
    if (event.key !== 'Enter' || event.metaKey) { return; }
    var rest = event.target.closest('[data-rest]'), set = fieldset(event.target) || (event.altKey && rest);
    if (!set || !(event.target.matches(CHOICE) || event.ctrlKey || event.altKey)) { return; }
    event.preventDefault();
    leave(set, event.shiftKey ? -1 : 1, event.altKey);
  });
  function stops() {
    return Array.from(document.querySelectorAll('.q__set, .rest__fill button, #finish:not(.part--coming)')).filter(function (e) { return e.checkVisibility(); });
  }
  function stopAfter(place) {
    return stops().find(function (e) { return place.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING && !place.contains(e); });
  }
  function stopFrom(set, step, group) {
    var all = stops(), block = set.closest('.block');
    var at = step > 0 ? all.indexOf(stopAfter(set)) : all.findIndex(function (e) { return e === set || set.contains(e); }) - 1;
    while (group && all[at] && all[at].matches('.q__set') && all[at].closest('.block') === block) { at += step; }
    return at < 0 ? null : all[at];
  }
  // Where an answer may open questions right below it, one goes on once its reply has come, and so comes to the first of them.
  var goingOn = null;
  function leave(set, step, group) {
    var question = set.dataset.q;
    if (step < 0 || group || !set.hasAttribute('data-opens') || !waiting.has(question)) { go(set, step, group); return; }
    goingOn = { question: question, next: stopFrom(set, 1, false), keys: [] };
    htmx.trigger(set, 'save');
  }
  // Behind the last question that is there, one goes on once the rest has come (coming.js); until then no key means another.
  var waitsFor = null;
  function go(set, step, group) {
    var next = stopFrom(set, step, group);
    if (!next && step > 0 && document.querySelector('.part--coming')) { waitsFor = { set: set, group: group }; }
    goTo(next);
    return next;
  }
  document.addEventListener('consult:come', function () {
    var one = waitsFor;
    waitsFor = null;
    watch();
    if (one && one.set.contains(document.activeElement)) { go(one.set, 1, one.group); }
  });
  // Only once the page has been held where it was (steady.js), or it would be scrolled back from where one goes.
  function arrived() { if (goingOn && !waiting.has(goingOn.question)) { setTimeout(goOn, 0); } }
  function goOn() {
    var one = goingOn, set = one && setOf(one.question);
    goingOn = null;
    if (!set || !set.contains(document.activeElement) || set.querySelector(UNSETTLED)) { return; }
    var next = go(set, 1, false);
    if (next !== one.next) { return; }
    one.keys.forEach(function (key) { if (goingOn) { goingOn.keys.push(key); } else { answerBy(key.digit, key.at); } });
  }
  // Alt and a digit on a choice give the answer of that place, of a scale that number, and go on; in a list to tick they tick
  // and stay. A key that is held down gives one answer, and a run of digits ends where the same digit means other words.
  var READ = 600, run = { set: null, words: '', at: 0 };  // milliseconds in which nobody can have read a question
  function words(set) { return Array.from(set.querySelectorAll('.opt__label'), function (l) { return l.textContent; }).join('|'); }
  function inARun(set, at) {
    var goesOn = run.set && run.set !== set && at - run.at < READ && run.words !== words(set);
    run.at = at;
    return goesOn;
  }
  document.addEventListener('keydown', function (event) {
    var digit = /^Digit(\d)$/.exec(event.code);
    if (!digit || !event.altKey || event.ctrlKey || event.shiftKey || event.metaKey || !event.target.matches(CHOICE)) { return; }
    event.preventDefault();
    if (event.repeat) { return; }
    if (goingOn) { goingOn.keys.push({ digit: digit[1], at: event.timeStamp }); } else { answerBy(digit[1], event.timeStamp); }
  });
  function answerBy(digit, at) {
    var set = fieldset(document.activeElement);
    if (!set || (waitsFor && waitsFor.set === set)) { return; }
    var scale = set.querySelector('.opts--scale input[value="' + digit + '"]');
    var box = scale || (set.querySelector('.opts--scale') ? null : set.querySelectorAll('.q__control .opt__input')[digit - 1]);
    if (!box || inARun(set, at)) { return; }
    run.set = set;
    run.words = words(set);
    refocus(box);
    box.click();
    if (box.type === 'radio') { leave(set, 1, false); }
  }
  function goTo(stop) {
    if (!stop) { return; }
    var inside = 'input:checked, input:not([type="hidden"]), select, textarea';
    if (stop.id) { inside = 'a[href], button, summary, input:not([type="hidden"]), select'; }
    var shown = Array.from(stop.querySelectorAll(inside)).find(function (e) { return e.checkVisibility(); });
    var to = stop.matches('button') ? stop : stop.querySelector('.q__control input[type="radio"]:checked') || shown;
    to.focus({ preventScroll: true });
    (stop.closest('.q') || to).scrollIntoView({ block: 'nearest' });
  }

  // Why a question is asked opens below it. Without scripts the same link leads to a page.
  document.addEventListener('click', function (event) {
    var mark = event.target.closest('.q__why');
    if (!mark || event.ctrlKey || event.shiftKey || event.metaKey) { return; }
    event.preventDefault();
    var set = fieldset(mark), open = mark.getAttribute('aria-expanded') !== 'true', help = set.nextElementSibling;
    if (!help.matches('.q__help')) {
      help = document.createElement('div');
      help.className = 'q__help';
      help.id = 'why-' + set.dataset.q;
      mark.setAttribute('aria-controls', help.id);
      set.after(help);
    }
    mark.setAttribute('aria-expanded', String(open));
    help.hidden = !open;
    if (open && !help.dataset.whole) { explain(mark.href, help); }
  });
  document.addEventListener('keydown', function (event) {
    if (event.key === ' ' && event.target.matches('.q__why')) { event.preventDefault(); event.target.click(); }
  });
  function explain(address, help) {
    var away = 'Why it is asked could not be fetched: close this and open it again.';
    fetch(address, { headers: { 'HX-Request': 'true', 'X-Made-For': meta('made-for') } }).then(function (reply) {
      if (reply.status === 401 || reply.status === 423) { document.dispatchEvent(new CustomEvent('consult:refused')); }
      if (!reply.ok) { throw new Error(String(reply.status)); }
      return reply.text();
    }).then(function (text) { help.innerHTML = text; help.dataset.whole = 'yes'; }, function () { help.textContent = away; });
  }

  // A print in another tab is recorded there: when one comes back, this page says so, too.
  var printed = false;
  document.addEventListener('submit', function (event) { printed = printed || opens(event); });
  ['focus', 'visibilitychange'].forEach(function (name) { (name === 'focus' ? window : document).addEventListener(name, papersNow); });
  function papersNow() {
    if (!printed || document.hidden) { return; }
    printed = false;
    fetch(location.pathname + '/papers', { headers: { 'HX-Request': 'true' } }).then(function (reply) { return reply.ok ? reply.text() : ''; }).then(function (text) {
      new DOMParser().parseFromString(text, 'text/html').querySelectorAll('[id]').forEach(function (now) {
        var shown = document.getElementById(now.id);
        if (shown && shown.innerHTML !== now.innerHTML) { shown.innerHTML = now.innerHTML; }
      });
    }, function () { printed = true; });
  }

  document.addEventListener('htmx:afterSettle', watch);
  watch();
  say('Saved as you answer');
  // An answer given before the scripts had come is taken now; htmx, which sends it, listens from this event on.
  document.addEventListener('DOMContentLoaded', function () {
    document.querySelectorAll('.q__set').forEach(function (set) {
      enteredEarly(set).forEach(function (i) { i.dispatchEvent(new Event(begun(i) ? 'input' : 'change', { bubbles: true })); });
    });
  });
}());
