;; Reads a setting without end.
(module
  (import "wasi:config/store@0.2.0-rc.1" "get" (func $get (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (loop (call $get (i32.const 0) (i32.const 0) (i32.const 128)) (br 0))
    unreachable)
)
