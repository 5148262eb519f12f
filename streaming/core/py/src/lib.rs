//! The only PyO3: the module `streaming._core`, whose contract is `streaming/_core.pyi`.

use pyo3::prelude::*;

mod columns;
mod core;
mod errors;
mod events;
mod link;
mod link_dicts;
mod params;
mod sim;
mod sim_columns;
mod stills;

/// The packet core.
#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<core::Core>()?;
    module.add_class::<link::Link>()?;
    module.add_class::<sim::Sim>()?;
    module.add_function(wrap_pyfunction!(link_dicts::link_profiles, module)?)?;
    module.add_function(wrap_pyfunction!(link_dicts::read_trace, module)?)
}
