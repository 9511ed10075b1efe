/* What the hand or the keys are at stays where it is when a reply puts text in above it, and a press counts for what it
   began on, should the page move under it all the same. */
(function () {
  'use strict';
  var STILL = 4;  // pixels that a hand moves while it presses
  var last = [NaN, NaN], point = null, pressed = null;
  var HELD = 'label, button, summary, a, input, select, textarea, .q';

  function again(element) {
    if (document.contains(element)) { return element; }
    if (element.id) { return document.getElementById(element.id); }
    return element.htmlFor ? document.querySelector('label[for="' + element.htmlFor + '"]') : null;
  }
  function aimedAt() {
    var under = point && document.elementFromPoint(point[0], point[1]);
    return (under && under.closest('.sheet') && under.closest(HELD)) || (document.activeElement || document.body).closest('.q');
  }
  function place() {
    var what = aimedAt(), box = what && what.getBoundingClientRect();
    return box && box.bottom > 0 && box.top < innerHeight ? { what: what, top: box.top } : null;
  }
  // What was just answered stays in sight, with the text that opens below it: that may be urgent.
  function room(answered) {
    var head = document.querySelector('.who'), edge = head ? Math.max(0, head.getBoundingClientRect().bottom) : 0;
    return document.contains(answered) ? Math.max(0, answered.getBoundingClientRect().top - edge) : Infinity;
  }
  function hold(kept) {
    var now = again(kept.what), moved = now ? now.getBoundingClientRect().top - kept.top : 0;
    if (moved > 0) { moved = Math.min(moved, room(kept.answered)); }
    if (Math.abs(moved) >= 1) { scrollBy({ top: moved, behavior: 'instant' }); }
  }
  // The browser tells of a pointer that the page moved under, too: only a new place is the hand.
  document.addEventListener('pointermove', function (event) {
    if (event.clientX === last[0] && event.clientY === last[1]) { return; }
    last = [event.clientX, event.clientY];
    point = event.pointerType === 'mouse' ? last : null;
  }, { passive: true });
  document.addEventListener('keydown', function () { point = null; }, true);
  // htmx puts a whole reply in at once, and this comes right after it: nothing is drawn between.
  document.addEventListener('htmx:beforeSwap', function (event) {
    var kept = place(), asked = event.detail.requestConfig.elt;
    if (pressed) { pressed.replied = true; }
    if (!kept) { return; }
    kept.answered = asked.closest('.q');
    queueMicrotask(function () { hold(kept); });
  });

  document.addEventListener('pointerdown', function (event) {
    var what = event.isPrimary && event.button === 0 ? event.target.closest('label, button') : null;
    pressed = what && { what: what, x: event.clientX, y: event.clientY, replied: false };
  }, true);
  document.addEventListener('pointerup', function (event) {
    var was = pressed, still = was && Math.abs(event.clientX - was.x) <= STILL && Math.abs(event.clientY - was.y) <= STILL;
    pressed = null;
    if (!still || !was.replied || event.pointerType !== 'mouse' || was.what.contains(event.target)) { return; }
    var now = again(was.what);
    if (!now || !now.checkVisibility()) { return; }
    if (now.control) { now.control.focus({ preventScroll: true }); }
    now.click();
  }, true);
}());
