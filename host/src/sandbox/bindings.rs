//! The contract's types and calls, generated from `wit/`. Arguments borrow: a call copies a
//! column straight from its Arrow buffer into the sandbox.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "weir:udf/everything",
    // A call of the host beyond the limit ends the guest's call.
    imports: { default: trappable },
    ownership: Borrowing { duplicate_if_necessary: true },
});
