"""Many runs that answer one question: axes become arms, arms times seeds become runs, runs become one comparison."""
