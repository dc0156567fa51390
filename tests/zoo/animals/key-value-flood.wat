;; Keeps a pair without end.
(module
  (import "wasi:keyvalue/store@0.2.0-draft" "open" (func $open (param i32 i32 i32)))
  (import "wasi:keyvalue/store@0.2.0-draft" "[method]bucket.set" (func $set (param i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (call $open (i32.const 0) (i32.const 0) (i32.const 128))
    (loop (call $set (i32.load (i32.const 132)) (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 4) (i32.const 256)) (br 0))
    unreachable)
)
