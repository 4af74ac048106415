"use strict";
// The admin's search boxes offer rows of the legal entity that is chosen in the form.
document.addEventListener("DOMContentLoaded", () => {
  const chosen = document.getElementById("id_entity");
  if (!chosen || !window.django || !window.django.jQuery) return;
  window.django.jQuery.ajaxPrefilter((options) => {
    if (!options.url.includes("/autocomplete/") || !chosen.value) return;
    options.url += `${options.url.includes("?") ? "&" : "?"}legal_entity=${encodeURIComponent(chosen.value)}`;
  });
});
