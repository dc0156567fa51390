//! The first-party components, built for wasm32-wasip2, as bytes.
