;; Plays a file whose name is no UTF-8.
(module
  (import "jackfield:call/control@0.1.0" "play" (func $play (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 4096) "\ff\fe\fd")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (call $play (i32.const 1) (i32.const 4096) (i32.const 3) (i32.const 1) (i32.const 128))
    (i32.const 64))
)
