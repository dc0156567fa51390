;; Ends with an error of its own.
(module
  (memory (export "memory") 1)
  (data (i32.const 64) "\01\00\00\00\00")
  (func (export "jackfield:call/story@0.1.0#run") (result i32) (i32.const 64))
)
