;; Hears that the call is over, and asks again without end.
(module
  (import "jackfield:call/control@0.1.0" "hang-up" (func $hang-up (param i32)))
  (import "jackfield:call/control@0.1.0" "next-event" (func $next-event (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (loop
      (call $hang-up (i32.const 128))
      (call $next-event (i32.const 1) (i32.const 0) (i32.const 128))
      (br 0))
    unreachable)
)
