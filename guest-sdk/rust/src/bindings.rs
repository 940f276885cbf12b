//! What `wit-bindgen` makes of the contract: the batch types, the host's functions, and the macro
//! that writes a component's exports. Only the modules of this crate and [`crate::export!`] use it.

wit_bindgen::generate!({
    world: "everything",
    path: "../../wit",
    pub_export_macro: true,
    default_bindings_module: "weir::bindings",
    additional_derives: [PartialEq],
    generate_all,
});
