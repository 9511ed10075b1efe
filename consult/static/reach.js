/* A form in which something was entered leaves its page only once the server is known to be there: a browser's own page
   of a network that is away would come in its place, and Back would bring it without what was entered. Nor does a page
   with several forms go without a word about what was entered in another of them. */
(function () {
  'use strict';
  var LATE = 1200, WAIT = 8000;  // milliseconds until it is said that one waits, and until it is given up
  var going = null, letGo = null;  // the form for which the server is asked, and the one that may go now
  var warned = null;  // of what it was said that it would be lost

  function entered(i) {
    if (ticked(i)) { return i.checked; }
    if (i.matches('select')) { return i.selectedIndex > 0; }
    return i.matches('textarea, input:not([type="hidden"])') && i.value.trim() !== '';
  }
  function changed(i) {
    if (ticked(i)) { return i.checked !== i.defaultChecked; }
    if (i.matches('select')) {
      return i.value !== (Array.from(i.options).find(function (o) { return o.defaultSelected; }) || i.options[0]).value;
    }
    return i.matches('textarea, input:not([type="hidden"])') && i.value !== i.defaultValue;
  }
  // What was entered in other forms of the page, which it would take with it.
  function elsewhere(form) {
    return Array.from(document.querySelectorAll('main form')).filter(function (other) {
      return other !== form && other.method === 'post' && other.id !== 'answers';
    }).flatMap(function (other) { return Array.from(other.elements).filter(changed); });
  }
  function another(form, button) { return form.target === '_blank' || Boolean(button && button.formTarget === '_blank'); }
  function say(button, words) {
    var said = document.getElementById('not-sent');
    if (said) { said.remove(); }
    if (!words) { return null; }
    said = document.createElement('p');
    said.id = said.className = 'not-sent';
    said.setAttribute('role', 'alert');
    said.textContent = words;
    button.after(said);
    return said;
  }
  window.notDone = function (button) {
    say(button, 'Not done: the server cannot be reached. What you entered stays on this page; press again in a moment.');
  };
  function sayOf(button, lost) {
    var link = document.createElement('a');
    link.href = '';
    link.textContent = 'Go to it';
    link.addEventListener('click', function (event) {
      event.preventDefault();
      (lost.closest('details') || lost).open = true;
      lost.focus();
    });
    say(button, 'Not done: something entered elsewhere on this page is not recorded and would be lost. Record it first, or ' +
      'press again to go on without it. ').append(link);
  }
  // Of a list whose forms lead back to it: it is brought up in place, with what was entered in the other ones.
  function inPlace(form, button, others) {
    var body = new URLSearchParams(new FormData(form, button));
    return fetch(form.action, { method: 'POST', body: body }).then(function (reply) { return reply.text(); }).then(function (text) {
      var page = new DOMParser().parseFromString(text, 'text/html'), shown = document.querySelector('main');
      var main = page.querySelector('main:has(form[data-stays])');
      if (!main) { say(button, (page.getElementById('problem') || page.querySelector('h1')).textContent); return; }
      shown.replaceChildren.apply(shown, Array.from(main.childNodes));
      others.forEach(function (i) { enterAgain(now(i), i); });
      (document.getElementById('error-summary') || shown).focus();
    });
  }
  function ticked(i) { return i.matches('[type="radio"], [type="checkbox"]'); }
  function now(before) {  // the control that stands there now
    return Array.from(document.querySelectorAll('main form')).filter(function (form) {
      return form.action === before.form.action;
    }).flatMap(function (form) { return Array.from(form.elements); }).find(function (i) {
      return i.id === before.id && i.name === before.name && (!ticked(i) || i.value === before.value);
    });
  }
  function enterAgain(i, before) {
    if (!i) { return; }
    if (ticked(i)) { i.checked = before.checked; } else { i.value = before.value; }
  }
  function asked() {
    return fetch(document.getElementById('lock').dataset.session, {
      cache: 'no-store', signal: AbortSignal.timeout(WAIT), headers: { 'HX-Request': 'true' }
    }).then(function (reply) { return reply.json(); });
  }
  // On the window, after every script that may keep a form where it is.
  window.addEventListener('submit', function (event) {
    var form = event.target, button = event.submitter;
    if (event.defaultPrevented || letGo === form || !form.closest('main') || form.method !== 'post' || another(form, button)) { return; }
    var others = elsewhere(form), lost = others[0];
    if (lost && warned !== lost && !('stays' in form.dataset)) {
      event.preventDefault();
      warned = lost;
      sayOf(button || form, lost);
      return;
    }
    if (!lost && !Array.from(form.elements).some(entered)) { return; }
    event.preventDefault();
    if (going) { return; }
    going = form;
    say();
    var slow = setTimeout(say, LATE, button || form, 'Waiting for the server.');
    asked().then(function () {
      if (lost && 'stays' in form.dataset) { return inPlace(form, button, others); }
      letGo = form;
      if (!button || button.form === form) { form.requestSubmit(button); }
    }).catch(function () { window.notDone(button || form); }).then(function () {
      clearTimeout(slow);
      going = letGo = null;
    });
  });
}());
