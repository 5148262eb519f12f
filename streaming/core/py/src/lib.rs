//! The only PyO3: the module `streaming._core`.
