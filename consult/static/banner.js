/* How tall the banner is that stays at the top, so that what has the focus, and the list of sections, stand below it. */
(function () {
  'use strict';
  var banner = document.querySelector('.who, .ehead');
  if (!banner || !window.ResizeObserver) { return; }
  new ResizeObserver(function () {
    document.documentElement.style.setProperty('--banner', banner.offsetHeight + 'px');
  }).observe(banner);
}());
