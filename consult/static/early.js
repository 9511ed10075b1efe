/* What was entered before the scripts of a page had come: the controls that no longer hold what the page was made with. */
window.enteredEarly = function (within) {
  'use strict';
  function made(i) {  // what the browser makes of what was sent: of a text it changes the line ends
    if (i.type === 'select-one') {
      return (Array.from(i.options).find(function (o) { return o.defaultSelected; }) || i.options[0]).value;
    }
    var other = document.createElement(i.localName);
    other.defaultValue = i.defaultValue;
    return other.value;
  }
  return Array.from(within.elements || within.querySelectorAll('input, select, textarea')).filter(function (i) {
    if (i.type === 'radio') { return i.checked && !i.defaultChecked; }
    if (i.type === 'checkbox') { return i.checked !== i.defaultChecked; }
    return i.matches('select, textarea, input:not([type="hidden"])') && i.value !== made(i);
  });
};
