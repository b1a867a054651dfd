export default {
  extends: "stylelint-config-recommended",
  rules: {
    "no-descending-specificity": null, // a component stands together; layers say what wins
  },
};
