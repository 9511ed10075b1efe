/* Opens the print dialogue of a page that was asked for to be printed. */
(function () {
  'use strict';
  if (document.querySelector('[data-print]')) { window.addEventListener('load', function () { window.print(); }); }
}());
