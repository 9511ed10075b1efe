/* A form in which something was entered leaves its page only once the server is known to be there: a browser's own page
   of a network that is away would come in its place, and Back would bring it without what was entered. */
(function () {
  'use strict';
  var LATE = 1200, WAIT = 8000;  // milliseconds until it is said that one waits, and until it is given up
  var going = null, letGo = null;  // the form for which the server is asked, and the one that may go now

  function entered(i) {
    if (i.matches('[type="radio"], [type="checkbox"]')) { return i.checked; }
    if (i.matches('select')) { return i.selectedIndex > 0; }
    return i.matches('textarea, input:not([type="hidden"])') && i.value.trim() !== '';
  }
  function another(form, button) { return form.target === '_blank' || Boolean(button && button.formTarget === '_blank'); }
  function say(button, words) {
    var said = document.getElementById('not-sent');
    if (said) { said.remove(); }
    if (!words) { return; }
    said = document.createElement('p');
    said.id = said.className = 'not-sent';
    said.setAttribute('role', 'alert');
    said.textContent = words;
    button.after(said);
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
    if (!Array.from(form.elements).some(entered)) { return; }
    event.preventDefault();
    if (going) { return; }
    going = form;
    say();
    var slow = setTimeout(say, LATE, button || form, 'Waiting for the server.');
    asked().then(function () {
      letGo = form;
      if (!button || button.form === form) { form.requestSubmit(button); }
    }, function () {
      say(button || form, 'Not done: the server cannot be reached. What you entered stays on this page; press again in a moment.');
    }).then(function () {
      clearTimeout(slow);
      going = letGo = null;
    });
  });
}());
