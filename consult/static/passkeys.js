/* Passkeys: asks the server what is to be signed, lets the browser ask its owner, and sends the form with the reply. */
(function () {
  'use strict';
  var forms = document.querySelectorAll('form[data-passkey]');
  if (!window.PublicKeyCredential || !navigator.credentials) { return; }
  document.querySelectorAll('[data-without-passkeys]').forEach(function (p) { p.hidden = true; });

  function bytes(text) {
    return Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), function (c) { return c.charCodeAt(0); });
  }
  function text(buffer) {
    var all = Array.from(new Uint8Array(buffer), function (b) { return String.fromCharCode(b); }).join('');
    return btoa(all).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  }
  function listed(known) { return (known || []).map(function (k) { return Object.assign({}, k, { id: bytes(k.id) }); }); }
  function asked(options) {
    options.challenge = bytes(options.challenge);
    if (!options.user) {
      options.allowCredentials = listed(options.allowCredentials);
      return navigator.credentials.get({ publicKey: options });
    }
    options.user.id = bytes(options.user.id);
    options.excludeCredentials = listed(options.excludeCredentials);
    return navigator.credentials.create({ publicKey: options });
  }
  function written(credential) {
    var response = Object.create(null);
    var from = credential.response;
    ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'].forEach(function (part) {
      if (from[part]) { response[part] = text(from[part]); }
    });
    if (from.getTransports) { response.transports = from.getTransports(); }
    return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response: response });
  }
  function why(error) {
    if (error.said) { return error.said; }
    if (error.name === 'InvalidStateError') { return 'This device or key holds a passkey of yours already.'; }
    if (error.name === 'NotAllowedError') { return 'No passkey was used. Try again, or go on without one.'; }
    return 'The passkey could not be used here. Try again, or go on without one.';
  }
  function question(form) {
    var body = new URLSearchParams(), secret = form.querySelector('[data-secret]');
    if (secret) { body.set('password', secret.value); }
    return fetch(form.dataset.passkey, {
      method: 'POST', body: body, cache: 'no-store',
      headers: { 'X-CSRFToken': form.querySelector('[name="csrf_token"]').value, 'HX-Request': 'true' }
    }).then(function (reply) {
      if (reply.ok) { return reply.json(); }
      return reply.text().then(function (said) { throw { said: said }; });
    }, function () { throw { said: 'The server cannot be reached; try again.' }; });
  }
  forms.forEach(function (form) {
    var problem = form.querySelector('.q__error'), button = form.querySelector('button');
    form.hidden = false;
    form.addEventListener('submit', function (event) {
      event.preventDefault();
      problem.textContent = '';
      button.disabled = true;
      question(form).then(asked).then(function (credential) {
        var secret = form.querySelector('[data-secret]');
        if (secret) { secret.value = ''; }
        form.querySelector('[name="credential"], [name="unlock_credential"]').value = written(credential);
        if (form.hasAttribute('data-in-place')) { form.dispatchEvent(new CustomEvent('consult:credential', { bubbles: true })); } else { form.submit(); }
      }).catch(function (error) { problem.textContent = why(error); }).then(function () { button.disabled = false; });
    });
  });
}());
