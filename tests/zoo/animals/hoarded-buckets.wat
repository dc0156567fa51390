;; Opens one bucket after the other and closes none.
(module
  (import "wasi:keyvalue/store@0.2.0-draft" "open" (func $open (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (loop (call $open (i32.const 0) (i32.const 0) (i32.const 128)) (br 0))
    unreachable)
)
