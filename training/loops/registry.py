"""The methods that can be trained: name -> recipe."""

from models.errors import DataError
from training.datasets.feature_data import FeatureData
from training.loops.acmr_recipe import ACMR, AcmrConfig, fit_acmr
from training.loops.contrastive_recipe import (
    ADVERSARIAL_CONTRASTIVE,
    CONTRASTIVE,
    ContrastiveConfig,
    fit_adversarial_contrastive,
    fit_contrastive,
)
from training.loops.corr_ae_recipe import CORR_AE, CorrAeConfig, fit_corr_ae
from training.loops.deep_cca_recipe import (
    CLUSTER_DCCA,
    DCCA,
    DCCAE,
    DeepCCAConfig,
    fit_cluster_dcca,
    fit_dcca,
    fit_dccae,
)
from training.loops.kernel_recipe import KernelConfig, fit_kernel_space
from training.loops.linear_problem import (
    CCA,
    CLUSTER_CCA,
    KERNEL_CCA,
    KERNEL_CLUSTER_CCA,
    MEAN_CCA,
    SEMANTIC_CORRELATION_MATCHING,
    SEMANTIC_MATCHING,
)
from training.loops.linear_recipe import LinearConfig, fit_linear_space
from training.loops.recipe import LABELS, PAIRS, FitContext, FitResult, Recipe
from training.loops.semantic_config import SemanticConfig, SemanticCorrelationConfig
from training.loops.semantic_recipe import (
    fit_semantic_correlation_space,
    fit_semantic_space,
)
from training.loops.sequence_recipes import (
    ATTENTION,
    TRANSFORMER,
    AttentionConfig,
    TransformerConfig,
    fit_attention,
    fit_transformer,
)
from training.loops.tnn_c_cca_recipe import TNN_C_CCA, TripletConfig, fit_tnn_c_cca
from training.loops.ugaar_recipe import (
    UGAAR,
    UGAAR_INFO_NCE,
    UgaarConfig,
    UgaarInfoNceConfig,
    fit_ugaar,
    fit_ugaar_info_nce,
)
from training.loops.vae_cca_recipe import VAE_CCA, VaeCcaConfig, fit_vae_cca


def _fit_cca(data: FeatureData, config: LinearConfig, context: FitContext) -> FitResult:
    return _fit_linear(CCA, data, config, context)


def _fit_cluster_cca(data: FeatureData, config: LinearConfig, context: FitContext) -> FitResult:
    return _fit_linear(CLUSTER_CCA, data, config, context)


def _fit_mean_cca(data: FeatureData, config: LinearConfig, context: FitContext) -> FitResult:
    return _fit_linear(MEAN_CCA, data, config, context)


def _fit_kcca(data: FeatureData, config: KernelConfig, context: FitContext) -> FitResult:
    return _fit_kernel(KERNEL_CCA, data, config, context)


def _fit_cluster_kcca(data: FeatureData, config: KernelConfig, context: FitContext) -> FitResult:
    return _fit_kernel(KERNEL_CLUSTER_CCA, data, config, context)


def _fit_sm(data: FeatureData, config: SemanticConfig, context: FitContext) -> FitResult:
    del context  # in closed form up to the convergence of a convex problem
    space, choice, tried = fit_semantic_space(data, config)
    return FitResult(space, choice.as_dict(), [setting.as_dict() for setting in tried])


def _fit_scm(
    data: FeatureData, config: SemanticCorrelationConfig, context: FitContext
) -> FitResult:
    space, choice, tried = fit_semantic_correlation_space(data, config, progress=context.progress)
    return FitResult(space, choice.as_dict(), [setting.as_dict() for setting in tried])


def _fit_kernel(
    method: str, data: FeatureData, config: KernelConfig, context: FitContext
) -> FitResult:
    space, choice, tried = fit_kernel_space(
        method, data, config, seed=context.seed, progress=context.progress
    )
    return FitResult(space, choice.as_dict(), [setting.as_dict() for setting in tried])


def _fit_linear(
    method: str, data: FeatureData, config: LinearConfig, context: FitContext
) -> FitResult:
    space, choice, tried = fit_linear_space(method, data, config, progress=context.progress)
    return FitResult(space, choice.as_dict(), [setting.as_dict() for setting in tried])


RECIPES: dict[str, Recipe] = {
    CCA: Recipe(
        LinearConfig,
        _fit_cca,
        "canonical correlation analysis of true pairs, no labels",
        needs=frozenset({PAIRS}),
    ),
    CLUSTER_CCA: Recipe(
        LinearConfig,
        _fit_cluster_cca,
        "cluster-CCA: same-class rows correspond, mixed with true pairs where there are any",
        needs=frozenset({LABELS}),
    ),
    MEAN_CCA: Recipe(
        LinearConfig, _fit_mean_cca, "CCA of the class means", needs=frozenset({LABELS})
    ),
    KERNEL_CCA: Recipe(
        KernelConfig,
        _fit_kcca,
        "kernel CCA (RBF, Nystroem for many rows) of true pairs, no labels",
        needs=frozenset({PAIRS}),
    ),
    KERNEL_CLUSTER_CCA: Recipe(
        KernelConfig,
        _fit_cluster_kcca,
        "kernel cluster-CCA, mixed with true pairs where there are any",
        needs=frozenset({LABELS}),
    ),
    SEMANTIC_MATCHING: Recipe(
        SemanticConfig,
        _fit_sm,
        "semantic matching: class posteriors of each view",
        needs=frozenset({LABELS}),
    ),
    SEMANTIC_CORRELATION_MATCHING: Recipe(
        SemanticCorrelationConfig,
        _fit_scm,
        "semantic correlation matching: class posteriors behind cluster-CCA",
        needs=frozenset({LABELS}),
    ),
    DCCA: Recipe(
        DeepCCAConfig,
        fit_dcca,
        "deep CCA: networks whose outputs correlate over true pairs, no labels",
        needs=frozenset({PAIRS}),
        choices={"ridge": (0.01, 0.1, 1.0), "learning_rate": (1e-3, 3e-3, 1e-2)},
    ),
    DCCAE: Recipe(
        DeepCCAConfig,
        fit_dccae,
        "deep CCA whose outputs also rebuild the features, no labels",
        needs=frozenset({PAIRS}),
        choices={"ridge": (0.01, 0.1, 1.0), "reconstruction": (0.03, 0.1, 0.3, 1.0)},
    ),
    CLUSTER_DCCA: Recipe(
        DeepCCAConfig,
        fit_cluster_dcca,
        "deep cluster-CCA: outputs of same-class rows correlate, mixed with true pairs",
        needs=frozenset({LABELS}),
        choices={"ridge": (0.01, 0.1, 1.0), "beta": (0.0, 0.2, 0.5)},
    ),
    TNN_C_CCA: Recipe(
        TripletConfig,
        fit_tnn_c_cca,
        "deep triplet network with cluster-CCA before, behind or beside it",
        needs=frozenset({LABELS}),
        choices={
            "order": ("cca-first", "cca-last", "end-to-end"),
            "margin": (0.2, 0.5, 1.0),
            "mining": ("all", "active", "semi-hard", "hard"),
        },
    ),
    VAE_CCA: Recipe(
        VaeCcaConfig,
        fit_vae_cca,
        "a variational autoencoder per view with CCA of the latent means",
        choices={"elbo": (0.003, 0.01, 0.03), "ridge": (0.3, 1.0, 3.0), "kl": (0.1, 1.0)},
    ),
    ACMR: Recipe(
        AcmrConfig,
        fit_acmr,
        "label classifier and triplets against a modality discriminator",
        needs=frozenset({LABELS}),
        choices={"adversary": (0.01, 0.1, 1.0), "margin": (0.2, 0.5, 1.0)},
    ),
    CONTRASTIVE: Recipe(
        ContrastiveConfig,
        fit_contrastive,
        "InfoNCE over classes, over true pairs, or both",
        choices={"temperature": (0.05, 0.1, 0.2), "dropout": (0.2, 0.4, 0.6)},
    ),
    ADVERSARIAL_CONTRASTIVE: Recipe(
        ContrastiveConfig,
        fit_adversarial_contrastive,
        "InfoNCE against a modality discriminator",
        choices={"temperature": (0.05, 0.1, 0.2), "adversary": (0.01, 0.1, 1.0)},
    ),
    CORR_AE: Recipe(
        CorrAeConfig,
        fit_corr_ae,
        "autoencoders whose codes rebuild both views, no labels",
        needs=frozenset({PAIRS}),
        choices={"rebuild": (0.2, 0.5, 0.8), "n_components": (16, 32, 64)},
    ),
    UGAAR: Recipe(
        UgaarConfig,
        fit_ugaar,
        "CCA of two views as ground truth, generated pairs for the third view, no labels",
        needs=frozenset({PAIRS}),
        choices={
            "transfer": (0.3, 1.0, 3.0),
            "adversary": (0.0, 0.1, 1.0),
            "ridge": (0.3, 1.0, 3.0),
        },
    ),
    UGAAR_INFO_NCE: Recipe(
        UgaarInfoNceConfig,
        fit_ugaar_info_nce,
        "UGAAR with InfoNCE over true pairs",
        needs=frozenset({PAIRS}),
        choices={"temperature": (0.05, 0.1, 0.2), "adversary": (0.0, 0.1, 1.0)},
    ),
    ATTENTION: Recipe(
        AttentionConfig,
        fit_attention,
        "attention over time with steps of true pairs aligned in training",
        choices={"temperature": (0.05, 0.1, 0.2), "alignment": (0.0, 0.5, 1.0)},
    ),
    TRANSFORMER: Recipe(
        TransformerConfig,
        fit_transformer,
        "a transformer over time that translates steps into the other view in training",
        choices={"temperature": (0.05, 0.1, 0.2), "translation": (0.0, 0.5, 1.0)},
    ),
}


def recipe(method: str) -> Recipe:
    """Look a method up.

    Raises:
        DataError: If there is no such method; the message lists those there are.
    """
    if method not in RECIPES:
        raise DataError(f"unknown method {method!r}, expected one of {sorted(RECIPES)}")
    return RECIPES[method]
