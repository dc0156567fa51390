;; Has data that lie outside of its memory.
(module
  (memory (export "memory") 1)
  (data (i32.const 65530) "too long for what is left")
  (func (export "jackfield:call/story@0.1.0#run") (result i32) (i32.const 64))
)
