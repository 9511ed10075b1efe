/* What session.js lays over a page: the lock, and "Covered". Here, and not in each page: a browser keeps this file. */
(function () {
  'use strict';
  var who = document.querySelector('meta[name="made-for"]').dataset;
  var token = document.querySelector('meta[name="csrf-token"]').content;
  var button = 'class="nhsuk-button nhsuk-button--secondary"', csrf = '<input type="hidden" name="csrf_token">';
  document.body.insertAdjacentHTML('beforeend',
    '<div class="cover" id="cover" role="region" aria-label="Covered" hidden><p class="cover__word">Covered</p>' +
    '<button ' + button + ' type="button" data-cover>Show again</button></div>' +
    '<div id="soon" role="status"></div>' +
    '<div class="lock" id="lock" role="dialog" aria-modal="true" aria-labelledby="lock-title" hidden>' +
    '<div class="lock__box" tabindex="-1"><p class="lock__title" id="lock-title">Locked</p>' +
    '<p><strong data-say="name"></strong>, <span data-say="role"></span></p><p id="lock-unsent"></p>' +

    '<div data-lock-when="locked"><form method="post" id="lock-form" data-to="unlock">' + csrf +
    '<p class="q__error" id="lock-problem" role="alert"></p><label class="nhsuk-label" for="lock-password">Password</label>' +
    '<input class="nhsuk-input" id="lock-password" name="password" type="password" autocomplete="current-password"' +
    ' aria-describedby="lock-problem"><button class="nhsuk-button">Go on</button></form>' +
    ('passkeys' in who ? '<form method="post" data-to="unlock" data-passkey data-in-place hidden>' + csrf +
      '<input type="hidden" name="unlock_credential" value=""><p class="q__error" role="alert"></p><button ' + button +
      '>Go on with a passkey</button></form>' : '') +
    ('provider' in who ? '<p><a data-to="sign-in" target="_blank">Sign in with <span data-say="provider"></span> in another ' +
      'window</a>; this page then goes on by itself.</p>' : '') +
    '<form method="post" data-to="sign-in" class="lock__other switch">' + csrf +
    '<p class="lock__title">Somebody else at this computer</p><p><span data-say="name"></span> is then signed out here.</p>' +
    '<label class="nhsuk-label" for="other-name">Their sign-in name</label><input class="nhsuk-input" id="other-name"' +
    ' name="username" autocomplete="off" spellcheck="false" autocapitalize="none">' +
    '<label class="nhsuk-label" for="other-password">Their password</label><input class="nhsuk-input" id="other-password"' +
    ' name="password" type="password" autocomplete="off"><button ' + button + '>Switch user</button></form></div>' +

    '<div data-lock-when="ended" hidden><p>You are signed out: in another window, or after 12 hours. What you entered stays ' +
    'here.</p><p><a data-to="sign-in" target="_blank">Sign in again in another window</a>; this page then goes on by ' +
    'itself.</p></div>' +

    '<div data-lock-when="other" hidden><p><strong id="lock-other"></strong> is signed in here now. This page was made for ' +
    '<span data-say="name"></span>, and nothing is recorded from it under another name. What was entered stays here until ' +
    '<span data-say="name"></span> signs in again.</p><p><a data-to="">Leave this page</a></p></div></div></div>');

  var lock = document.getElementById('lock');
  lock.querySelectorAll('[data-say]').forEach(function (part) { part.textContent = who[part.dataset.say]; });
  lock.querySelectorAll('[data-to]').forEach(function (part) {
    part[part.matches('form') ? 'action' : 'href'] = who.home + part.dataset.to;
  });
  lock.querySelectorAll('[name="csrf_token"]').forEach(function (input) { input.value = token; });
  lock.querySelectorAll('[data-passkey]').forEach(function (form) { form.dataset.passkey = who.passkeys; });
  ['session', 'unlock', 'lock'].forEach(function (name) { lock.dataset[name] = who.home + name; });
}());
