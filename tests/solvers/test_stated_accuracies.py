"""Every public solver that states an accuracy has a test against more digits, or another exact route: the table of them."""

import ast
import importlib
import inspect
import pkgutil
import re

import pytest

import scalinglaws.solvers as solvers

STATED = re.compile(
    r"accurate to|accuracy (as|is)|errors? (is|are) (below|about|up to|near)|to rounding|\bgood to\b"
    r"|exact to|agrees? with .* to 1e-|(less|better) than \d*\.?\d*e-\d+|below [^.]{0,30}\d+e-\d+"
    r"|as accurate as|are accurate|is accurate|lose no digits|to (about )?\d*e-\d+",
    re.IGNORECASE,
)
"""How docstrings state accuracies."""

TESTS = {
    "feature_learning.circle_flow": "feature_learning/test_accuracy_of_results.py::test_the_circle_against_thirty_digits",
    "feature_learning.compute_frontier": "feature_learning/test_accuracy_of_results.py::test_frontiers_by_other_budgets",
    "feature_learning.crossover_time": "feature_learning/test_accuracy.py::test_times_of_a_scale",
    "feature_learning.gradient_descent": "feature_learning/test_accuracy_of_results.py::test_merged_modes_of_descents",
    "feature_learning.gradient_flow": "feature_learning/test_accuracy_of_results.py::test_one_mode_of_a_chain",
    "feature_learning.linear_network": "feature_learning/test_accuracy.py::test_one_mode_at_the_cases_that_were_wrong",
    "feature_learning.online_dmft": "feature_learning/test_accuracy_of_results.py::test_merged_modes_of_marches",
    "feature_learning.realization_flow": "feature_learning/test_accuracy.py::test_one_mode_early_and_late",
    "feature_learning.reuse_dmft": "feature_learning/test_accuracy_of_results.py::test_merged_modes_of_marches",
    "feature_learning.static_limit": "feature_learning/test_accuracy_of_results.py::test_the_limit_of_long_training",
    "kernel_adaptation.adapt": "kernel_adaptation/test_accuracy.py::test_kernels_that_adapt",
    "kernel_adaptation.exact_two_layer_linear": "kernel_adaptation/test_accuracy.py::test_the_mean_of_a_linear_network",
    "kernel_adaptation.linear_cnn": "kernel_adaptation/test_accuracy.py::test_free_energy_of_a_convolutional_network",
    "kernel_adaptation.samples_for_alignment": "kernel_adaptation/test_accuracy.py::test_one_feature_of_two_layers",
    "kernel_adaptation.two_layer": "kernel_adaptation/test_accuracy.py::test_one_feature_of_two_layers",
    "kernel_adaptation.two_layer_thresholds": "kernel_adaptation/test_accuracy.py::test_where_two_modes_are_born",
    "kernels.arc_cosine": "linear/test_accuracy.py::test_arc_cosine_kernels",
    "kernels.circle_eigenvalues": "feature_learning/test_accuracy_of_results.py::test_the_circle_against_thirty_digits",
    "kernels.circle_kernel": "feature_learning/test_accuracy_of_results.py::test_the_circle_against_thirty_digits",
    "kernels.erf_nngp": "kernels/test_accuracy.py::test_networks_of_any_depth",
    "kernels.erf_ntk": "kernels/test_accuracy.py::test_networks_of_any_depth",
    "kernels.laplace_kernel": "kernels/test_accuracy.py::test_distances_of_near_duplicates_far_from_the_origin",
    "kernels.linear_kernel": "kernels/test_accuracy.py::test_products",
    "kernels.median_distance": "kernels/test_accuracy.py::test_distances_of_near_duplicates_far_from_the_origin",
    "kernels.rbf_kernel": "kernels/test_accuracy.py::test_distances_of_near_duplicates_far_from_the_origin",
    "kernels.relu_nngp": "kernels/test_accuracy.py::test_networks_of_any_depth",
    "kernels.relu_ntk": "kernels/test_accuracy.py::test_networks_of_any_depth",
    "learnability.alignment_cost": "learnability/test_accuracy.py::test_costs_however_far_the_tail",
    "learnability.arcsine_sphere_eigenvalue": "learnability/test_accuracy.py::test_eigenvalues_on_a_sphere",
    "learnability.effective_ridge": "learnability/test_accuracy.py::test_effective_ridges_and_learnabilities",
    "learnability.learning_curve": "learnability/test_accuracy.py::test_effective_ridges_and_learnabilities",
    "learnability.posterior_bound": "learnability/test_accuracy.py::test_bounds_of_one_data_set",
    "learnability.samples_for_learnability": "learnability/test_accuracy.py::test_samples_for_learnabilities",
    "learnability.samples_for_target": "learnability/test_target.py::test_thirty_digits",
    "learnability.unlearnability": "learnability/test_accuracy.py::test_samples_that_do_not_suffice",
    "linear.compute_frontier": "linear/test_power_law_accuracy.py::test_exponents_of_frontiers",
    "linear.degrees_of_freedom": "linear/test_power_law_accuracy.py::test_statics_of_infinite_power_laws",
    "linear.effective_ridge": "linear/test_power_law_accuracy.py::test_statics_of_infinite_power_laws",
    "linear.features_for_loss": "linear/test_power_law_accuracy.py::test_inverse_queries",
    "linear.gradient_descent": "linear/test_accuracy.py::test_flow_and_descent_with_limits_far_down",
    "linear.gradient_flow": "linear/test_accuracy.py::test_flow_with_limits",
    "linear.largest_eigenvalue": "linear/test_accuracy.py::test_edges_and_kernel_norms",
    "linear.learnability": "linear/test_power_law_accuracy.py::test_statics_of_infinite_power_laws",
    "linear.loss_surface": "linear/test_power_law_accuracy.py::test_frontiers_and_surfaces",
    "linear.online_sgd": "linear/test_accuracy.py::test_online_descent_however_far_the_loss_has_fallen",
    "linear.ridge": "linear/test_accuracy.py::test_regression_and_its_pieces",
    "linear.samples_for_loss": "linear/test_power_law_accuracy.py::test_inverse_queries",
    "linear.sgd_stability": "linear/test_accuracy.py::test_edges_and_kernel_norms",
    "linear.time_for_loss": "linear/test_power_law_accuracy.py::test_inverse_queries",
    "patterns.alignment_rate": "patterns/test_alignment.py::test_rates_of_wide_layers_keep_their_digits",
    "patterns.attention_overlap": "patterns/test_accuracy.py::test_heads_of_two_tokens_against_twenty_digits",
    "patterns.cube_rate": "patterns/test_tail.py::test_rate_is_the_least_of_all_jumps",
    "patterns.gaussian_cost": "patterns/test_alignment.py::test_gaussian_cost_against_30_digits",
    "patterns.log_alignment": "patterns/test_alignment.py::test_quadrature_of_one_neuron_against_20_digits",
    "patterns.log_tail": "patterns/test_accuracy.py::test_three_terms_are_a_double_integral",
    "patterns.specialized_cost": "patterns/test_alignment.py::test_specialized_cost_at_the_ends_of_floats",
    "percolation.allocate": "percolation/test_accuracy.py::test_allocations_and_their_bounds",
    "percolation.allocate_integer": "percolation/test_accuracy.py::test_whole_allocations_and_their_bounds",
    "percolation.bethe_data_loss": "percolation/test_bethe_data.py::test_sums_in_many_digits",
    "percolation.cluster_cutoff": "percolation/test_bethe.py::test_cutoffs_in_many_digits",
    "percolation.cluster_learning_curve": "percolation/test_tree.py::test_curve_and_slope_agree_with_many_digits",
    "percolation.cluster_size_probability": "percolation/test_bethe.py::test_sizes_in_many_digits",
    "percolation.crossover_data_loss": "percolation/test_accuracy.py::test_samples_below_the_threshold",
    "percolation.crossover_model_loss": "percolation/test_accuracy.py::test_allocation_below_the_threshold",
    "percolation.data_loss": "percolation/test_expected_loss.py::test_one_cluster_against_many_digits",
    "percolation.data_loss_expansion": "percolation/test_accuracy.py::test_expansion_has_all_its_digits",
    "percolation.dual_occupation": "percolation/test_bethe.py::test_duals_in_many_digits",
    "percolation.distinct_clusters": "percolation/test_transitions.py::test_different_clusters_in_many_digits",
    "percolation.emergence": "percolation/test_transitions.py::test_samples_in_many_digits",
    "percolation.exponents": "percolation/test_critical.py::test_the_theory_has_the_same_numbers",
    "percolation.infinite_cluster": "percolation/test_bethe.py::test_the_infinite_cluster_far_above_its_threshold_keeps_its_digits",
    "percolation.mean_nearest_distance": "percolation/test_accuracy.py::test_distances_to_training_sites",
    "percolation.nearest_distance": "percolation/test_accuracy.py::test_distances_to_training_sites",
    "percolation.subcritical_sizes": "percolation/test_off_critical.py::test_sizes_invert_the_incomplete_gamma_function",
    "percolation.zipf_model_loss": "percolation/test_accuracy.py::test_zipf_allocations",
    "perceptron.bayes": "perceptron/test_accuracy.py::test_bayes_and_gibbs_are_as_accurate_as_stated",
    "perceptron.fixed_norm": "perceptron/test_accuracy.py::test_errors_and_training_losses_are_as_accurate_as_stated",
    "perceptron.gibbs": "perceptron/test_accuracy.py::test_bayes_and_gibbs_are_as_accurate_as_stated",
    "perceptron.gradient_flow": "perceptron/test_limits.py::test_gradient_flow_is_as_accurate_as_stated",
    "perceptron.max_stability": "perceptron/test_accuracy.py::test_maximum_stability_is_as_accurate_as_stated",
    "perceptron.ridge": "perceptron/test_losses.py::test_penalties_with_every_loss",
    "perceptron.spectral_complexity": "perceptron/test_complexity.py::test_iteration_finds_what_all_singular_values_show",
    "renormalization.ConvolvedLikelihood.potential": "renormalization/test_accuracy.py::test_potential_and_slope_of_a_convolved_likelihood",
    "renormalization.ConvolvedLikelihood.slope": "renormalization/test_accuracy.py::test_potential_and_slope_of_a_convolved_likelihood",
    "renormalization.convolved_likelihood": "renormalization/test_accuracy.py::test_couplings_of_a_convolved_likelihood",
    "renormalization.dimensionless_flow": "renormalization/test_accuracy.py::test_dimensionless_couplings",
    "renormalization.infrared_scale": "renormalization/test_accuracy.py::test_infrared_scales",
    "renormalization.integrated_variance": "renormalization/test_accuracy.py::test_sums_beyond_a_cutoff",
    "renormalization.ridge_flow": "renormalization/test_accuracy.py::test_the_ridge_of_an_infinite_kernel",
    "renormalization.truncated_flow": "renormalization/test_accuracy.py::test_couplings_of_truncated_flows",
    "schedules.accumulated_noise": "schedules/test_cells.py::test_thirty_digits",
    "schedules.functional_law": "schedules/test_functional.py::test_steps_one_by_one_in_30_digits",
    "schedules.optimal_cooldown": "schedules/test_optimal.py::test_a_cooldown_in_thirty_digits",
    "schedules.optimal_schedule": "schedules/test_optimal.py::test_against_thirty_digits",
    "schedules.stability": "schedules/test_stability.py::test_norms_in_thirty_digits",
    "schedules.tuned_rate": "schedules/test_tuning.py::test_thirty_digits",
    "spectra.PowerLawSpectrum.depth_for": "linear/test_power_law_accuracy.py::test_spectra_are_resolved_as_deeply_as_promised",
    "spectra.PowerLawSpectrum.modes": "linear/test_accuracy.py::test_degrees_of_freedom_of_merged_power_laws",
}
"""Public solvers, and where each one's stated accuracy is tested."""


def public():
    """Yield the public functions and methods of all theories' solvers, by name."""
    for room in pkgutil.iter_modules(solvers.__path__):
        if room.name.startswith("_"):
            continue
        module = importlib.import_module(f"scalinglaws.solvers.{room.name}")
        for name, thing in vars(module).items():
            home = getattr(thing, "__module__", "") or ""
            if name.startswith("_") or not home.startswith(module.__name__):
                continue
            if name not in getattr(module, "__all__", [name]):
                continue
            if inspect.isfunction(thing):
                yield f"{room.name}.{name}", thing
            elif inspect.isclass(thing):
                for part, method in vars(thing).items():
                    if inspect.isfunction(method) and not part.startswith("_"):
                        yield f"{room.name}.{name}.{part}", method


def shared(name):
    """Whether a room holds what theories share: tested through the solvers that use it."""
    return name.split(".")[0] in ("equivalents", "catalogue", "expressions")


def stating():
    """Return the public solvers whose docstring states an accuracy."""
    return sorted(
        name
        for name, thing in public()
        if not shared(name) and STATED.search(inspect.getdoc(thing) or "")
    )


@pytest.mark.parametrize("name", stating())
def test_a_stated_accuracy_is_tested(name):
    assert name in TESTS, (
        f"{name} states an accuracy: test it against arithmetic of more digits, and name the test in the table of "
        "tests/solvers/test_stated_accuracies.py"
    )


def test_the_table_names_what_there_is(root):
    found = dict(public())
    for name, place in TESTS.items():
        assert name in found, f"{name} is no public solver"
        file, test = place.split("::")
        path = root / "tests" / "solvers" / file
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert test in functions, f"{place} is no test"


def test_many_state_one():
    assert len(stating()) > 30
