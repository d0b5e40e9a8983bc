package org.mobilebnn;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertTrue;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.Arrays;
import org.junit.Test;

/** Images fitted into networks: the floats of Python, to the last bit. */
public class ImageFittingTest {
    @Test
    public void givesTheFloatsOfPython() throws Exception {
        File file = new File(System.getProperty("mbnn.cases"), "fits.bin");
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file.toPath())).order(ByteOrder.LITTLE_ENDIAN);
        int[] facts = new int[7];
        int count = 0;
        do {
            for (int i = 0; i < facts.length; ++i) {
                facts[i] = bytes.getInt();
            }
            int[] argb = new int[facts[0] * facts[1]];
            for (int i = 0; i < argb.length; ++i) {
                argb[i] = bytes.getInt();
            }
            float[] expected = new float[facts[2] * facts[3] * facts[4]];
            for (int i = 0; i < expected.length; ++i) {
                expected[i] = bytes.getFloat();
            }
            float[] found = ImageFitting.fit(argb, facts[0], facts[1], facts[2], facts[3], facts[4], facts[5] != 0);
            assertArrayEquals(Arrays.toString(facts), expected, found, 0);
            ++count;
        } while (facts[6] != 0);
        assertTrue(count >= 10);
    }
}
