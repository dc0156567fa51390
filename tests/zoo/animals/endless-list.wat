;; Sends a request with a thousand million headers.
(module
  (import "jackfield:call/control@0.1.0" "send-request"
    (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (call $send
      (i32.const 0) (i32.const 4096) (i32.const 4)
      (i32.const 4096) (i32.const 1000000000)
      (i32.const 4096) (i32.const 0)
      (i32.const 0) (i32.const 128))
    (i32.const 64))
)
