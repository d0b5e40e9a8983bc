package org.mobilebnn;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNotEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import org.junit.Test;
import org.tensorflow.lite.Delegate;
import org.tensorflow.lite.Interpreter;

/** The delegate for TensorFlow Lite's own interpreter; that it computes is proved on emulated processors. */
public class BnnDelegateTest {
    @Test
    public void isWhatTensorFlowLiteTakes() {
        try (BnnDelegate delegate = new BnnDelegate(new BnnDelegate.Options().setNumThreads(2))) {
            Interpreter.Options options = new Interpreter.Options().addDelegate(delegate);
            assertEquals(1, options.getDelegates().size());
            Delegate taken = options.getDelegates().get(0);
            assertNotEquals(0, taken.getNativeHandle());
            assertEquals(taken.getNativeHandle(), delegate.getNativeHandle());
        }
    }

    @Test
    public void aClosedOneHasNoHandle() {
        BnnDelegate delegate = new BnnDelegate();
        delegate.close();
        delegate.close();
        Throwable refused = assertThrows(IllegalStateException.class, delegate::getNativeHandle);
        assertEquals("this delegate is closed", refused.getMessage());
    }

    @Test
    public void optionsAreChecked() {
        Throwable threads = assertThrows(
            IllegalArgumentException.class, () -> new BnnDelegate.Options().setNumThreads(257));
        assertEquals("the number of threads is 1 to 256, not 257", threads.getMessage());
        Throwable isa = assertThrows(IllegalArgumentException.class,
            () -> new BnnDelegate(new BnnDelegate.Options().setInstructionSet("mmx")));
        assertTrue(isa.getMessage(), isa.getMessage().startsWith("mobile_bnn: option isa: unknown value \"mmx\", known are "));
    }

    @Test
    public void tellsItsVersionAndKernel() {
        assertTrue(BnnInterpreter.version().matches("\\d+\\.\\d+\\.\\d+.*"));
        try (BnnDelegate named = new BnnDelegate(
                new BnnDelegate.Options().setInstructionSet(BnnInterpreter.kernel()))) {
            assertNotEquals(0, named.getNativeHandle());
        }
    }
}
