;; Answers and plays, and breaks while that is heard.
(module
  (import "jackfield:call/control@0.1.0" "answer" (func $answer (param i32)))
  (import "jackfield:call/control@0.1.0" "play" (func $play (param i32 i32 i32 i32 i32)))
  (import "jackfield:call/control@0.1.0" "next-event" (func $next-event (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 4096) "prompts/menu.wav")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (call $answer (i32.const 128))
    (call $play (i32.const 1) (i32.const 4096) (i32.const 16) (i32.const 1) (i32.const 128))
    (call $next-event (i32.const 1) (i32.const 1000) (i32.const 128))
    unreachable)
)
