//! The contract's types and calls, generated from `wit/`. Arguments borrow: a call copies a
//! column straight from its Arrow buffer into the sandbox.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "weir:udf/everything",
    ownership: Borrowing { duplicate_if_necessary: true },
});
