import { mountPage } from '../../shared/page'
import TrustPage from './TrustPage.vue'

mountPage(TrustPage)
