/* What was entered before the scripts of a page had come: the controls that no longer hold what the page was made with. */
window.enteredEarly = function (within) {
  'use strict';
  function made(select) {
    return Array.from(select.options).find(function (o) { return o.defaultSelected; }) || select.options[0];
  }
  return Array.from(within.elements).filter(function (i) {
    if (i.type === 'radio') { return i.checked && !i.defaultChecked; }
    if (i.type === 'checkbox') { return i.checked !== i.defaultChecked; }
    if (i.type === 'select-one') { return i.value !== made(i).value; }
    return i.type !== 'hidden' && 'defaultValue' in i && i.value !== i.defaultValue;
  });
};
