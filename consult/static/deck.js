// Slides by keys: arrows, Page Up and Page Down, Home and End. Without this the page scrolls.
(function () {
  "use strict";
  const slides = Array.from(document.querySelectorAll(".slide"));
  const steps = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };

  // The slide that was gone to, while any of it is to be seen; else the one whose upper edge lies nearest to that of the window.
  function current() {
    const known = slides.indexOf(document.activeElement);
    if (known >= 0) {
      const place = slides[known].getBoundingClientRect();
      if (place.bottom > 0 && place.top < window.innerHeight) return known;
    }
    const far = slides.map((slide) => Math.abs(slide.getBoundingClientRect().top));
    const nearest = far.indexOf(Math.min(...far));
    return slides[0].getBoundingClientRect().top > 40 ? -1 : nearest;
  }

  function show(at) {
    const slide = slides[Math.max(0, Math.min(slides.length - 1, at))];
    slide.focus({ preventScroll: true });
    slide.scrollIntoView({ block: "start" });
  }

  function goesBy(event) {
    const within = event.target instanceof Element && event.target.closest("summary, input, select, textarea");
    return !(within || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey);
  }

  document.addEventListener("keydown", (event) => {
    if (!goesBy(event)) return;
    if (event.key === "Home") show(0);
    else if (event.key === "End") show(slides.length - 1);
    else if (event.key in steps) show(current() + steps[event.key]);
    else return;
    event.preventDefault();
  });
})();
