;; Asks for a pair whose key has two mebibytes.
(module
  (import "wasi:keyvalue/store@0.2.0-draft" "open" (func $open (param i32 i32 i32)))
  (import "wasi:keyvalue/store@0.2.0-draft" "[method]bucket.get" (func $get (param i32 i32 i32 i32)))
  (memory (export "memory") 64)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (call $open (i32.const 0) (i32.const 0) (i32.const 128))
    (call $get (i32.load (i32.const 132)) (i32.const 0) (i32.const 2097152) (i32.const 256))
    (i32.const 64))
)
