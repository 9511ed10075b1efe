/* The rest of a consultation's screen: it is asked for once the first part can be used, and put where its place is kept. */
(function () {
  'use strict';
  var RETRY = 1000, LONGEST = 20000;  // milliseconds
  var places = Array.from(document.querySelectorAll('.part--coming')), pieces = [], moved = false, led = false;
  if (!places.length) { return; }

  function ask() {
    var headers = { 'HX-Request': 'true', 'X-Made-For': document.querySelector('meta[name="made-for"]').content };
    fetch(document.querySelector('[data-coming]').dataset.coming, { headers: headers, signal: AbortSignal.timeout(LONGEST) }).then(function (reply) {
      if (reply.status === 401 || reply.status === 423) {
        document.addEventListener('consult:again', ask, { once: true });
        document.dispatchEvent(new CustomEvent('consult:refused'));
        return null;
      }
      var refused = reply.status >= 400 && reply.status < 500 && reply.status !== 429;
      if (reply.redirected || refused) { location.reload(); return null; }  // it has ended meanwhile, or a colleague has it
      return reply.ok ? reply.text() : '';
    }).then(function (text) {
      var drawn = text && new DOMParser().parseFromString(text, 'text/html');
      if (text !== null && !(drawn && drawn.getElementById('finish'))) { throw new Error('The rest did not come whole'); }
      return drawn;
    }).then(function (drawn) { if (drawn) { put(drawn); } }, function () { setTimeout(ask, RETRY); });
  }
  // What a reply to an answer draws of a question that has not come yet is kept, and put in with it: it is newer, or the same.
  document.addEventListener('htmx:beforeSwap', function (event) {
    if (!places.length || !event.detail.shouldSwap) { return; }
    var reply = new DOMParser().parseFromString(event.detail.serverResponse, 'text/html');
    reply.querySelectorAll('[data-hx-swap-oob]').forEach(function (piece) {
      if (!document.getElementById(piece.id)) { pieces.push(piece); piece.remove(); }
    });
    event.detail.serverResponse = reply.body.innerHTML;
  });
  function put(drawn) {
    pieces.forEach(function (piece) {
      var place = drawn.getElementById(piece.id);
      if (place) { place.innerHTML = piece.innerHTML; }
    });
    var focused = document.activeElement, at = places.find(function (place) { return place.contains(focused); });
    places.forEach(function (place) {
      var part = document.adoptNode(drawn.getElementById(place.id));
      part.toggleAttribute('open', place.hasAttribute('open'));
      place.replaceWith(part);
      htmx.process(part);
    });
    places = [];
    if (at) { document.getElementById(at.id).querySelector('summary, a, button, input:not([type="hidden"]), select, textarea').focus({ preventScroll: true }); }
    document.dispatchEvent(new CustomEvent('consult:come'));
    goBack();
  }
  // Where the page was left when it is loaded anew, or what its address names; but not away from where somebody has gone since.
  function goBack() {
    var left = history.state && history.state.left, named = document.getElementById(location.hash.slice(1));
    if (left && !moved) { scrollTo({ top: left, behavior: 'instant' }); } else if (named && (led || !moved)) { named.scrollIntoView(); }
  }
  ['wheel', 'touchmove', 'keydown', 'pointerdown'].forEach(function (name) {
    document.addEventListener(name, function () { moved = true; }, { passive: true, capture: true });
  });
  window.addEventListener('hashchange', function () { led = true; });
  window.addEventListener('beforeunload', function () {
    if (scrollY || history.state) { history.replaceState(Object.assign({}, history.state, { left: scrollY }), ''); }
  });
  ask();
}());
