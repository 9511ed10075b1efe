/* Copies the signed note in one action; where the clipboard is closed the text is selected instead. */
(function () {
  'use strict';
  var button = document.getElementById('copy-note'), note = document.getElementById('note');
  if (!button || !note) { return; }
  button.hidden = false;
  button.addEventListener('click', function () {
    var done = function (words) { document.getElementById('copy-state').textContent = words; };
    var record = function () {
      fetch(button.dataset.copied, { method: 'POST', headers: { 'X-CSRFToken': document.querySelector('meta[name="csrf-token"]').content } });
      done('Copied');
    };
    var fallback = function () {
      note.select();
      if (document.execCommand('copy')) { record(); } else { done('Selected: press Ctrl and C'); }
    };
    if (navigator.clipboard) { navigator.clipboard.writeText(note.value).then(record, fallback); } else { fallback(); }
  });
}());
