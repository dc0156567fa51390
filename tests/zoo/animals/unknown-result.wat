;; Ends with a result that is neither good nor an error.
(module
  (memory (export "memory") 1)
  (data (i32.const 64) "\63")
  (func (export "jackfield:call/story@0.1.0#run") (result i32) (i32.const 64))
)
